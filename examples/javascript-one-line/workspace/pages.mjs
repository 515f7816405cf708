export function pageCount(items, size) {
  return Math.floor(items / size);
}

export function page(items, size, number) {
  const start = (number - 1) * size;
  return items.slice(start, start + size);
}

export function label(number, count) {
  return "page " + number + " of " + count;
}
