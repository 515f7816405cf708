import { matching, where } from "./shape.ts";

/** A time as a store writes it: ISO 8601 in UTC with milliseconds, of a moment that there is. */
export const instant = where(
  matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "no time"),
  (value) => !Number.isNaN(Date.parse(value)) && new Date(value).toISOString() === value,
  "no time",
);

/** The name of a store: 32 hex digits, made with it. */
export const storeId = matching(/^[0-9a-f]{32}$/, "no store id");
