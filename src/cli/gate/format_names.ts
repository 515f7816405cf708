/** How a gate's result can be told. */
export const GATE_FORMATS = ["text", "json", "sarif", "junit", "markdown"] as const;
export type GateFormat = typeof GATE_FORMATS[number];
