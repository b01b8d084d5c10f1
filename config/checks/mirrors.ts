import type { CheckContext } from './context.ts'

/** A shadow is another upstream than those that answer. */
export function checkMirrors({ settings, report }: CheckContext): void {
  for (const [key, { to, mirror }] of Object.entries(settings.routes)) {
    if (mirror === undefined || to === undefined) continue
    const isItself = typeof to === 'string' ? to === mirror.to : Object.hasOwn(to.split, mirror.to)
    if (!isItself) continue
    const message = `'${mirror.to}' answers this route already, and would get what is copied twice: name another upstream`
    report.add('HR_CONFIG_ROUTE_OPTION', ['routes', key, 'mirror', 'to'], message)
  }
}
