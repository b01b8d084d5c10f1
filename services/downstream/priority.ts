/**
 * What goes first where not everything can be served: of a route, or of who calls. What is `critical` is never shed.
 */
export const PRIORITIES = ['low', 'normal', 'high', 'critical'] as const
export type Priority = (typeof PRIORITIES)[number]
