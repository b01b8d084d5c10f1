import type { Problem } from './problem.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string)

/** What {@link problemPage} needs in `content-security-policy`: its style, and nothing else. */
export const PROBLEM_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

/** Whether a client is a browser that shows a page, by its Accept field: programs that take anything do not name HTML. */
export function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && /(?:^|,)\s*text\/html\s*(?:$|[,;])/i.test(accept)
}

/** A problem for people in a browser, with the way to the documentation. @param docs its path */
export function problemPage({ status, title, detail, code, requestId }: Problem, docs: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${status} ${escaped(title)}</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 38rem; margin: 15vh auto; padding: 0 1.5rem }
  small { opacity: .7 }
</style>
<h1>${status} ${escaped(title)}</h1>
<p>${escaped(detail)}</p>
<p><a href="${escaped(docs)}">Documentation</a></p>
<p><small>${escaped(code)} · ${escaped(requestId)}</small></p>
</html>
`
}
