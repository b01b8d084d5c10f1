/** The media type of a Content-Type, without its parameters and in lower case; empty where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined) return ''
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** Whether an answer tells events as they happen (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function isEventStream(contentType: string | undefined): boolean {
  return mediaTypeOf(contentType) === 'text/event-stream'
}
