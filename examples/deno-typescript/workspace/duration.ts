export interface Duration {
  hours: number;
  minutes: number;
}

export function parse(text: string): Duration {
  const match = /^(\d+)h(\d+)m$/.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return { hours: match[1], minutes: Number(match[2]) };
}

export function totalMinutes(duration: Duration): number {
  return duration.hours * 60 + duration.minutes;
}
