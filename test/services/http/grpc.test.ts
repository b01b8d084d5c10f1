import { test } from 'tap'
import { failedCall, isGrpc } from '../../../services/http/grpc.ts'

void test('a call is told by its media type', async (t) => {
  for (const type of ['application/grpc', 'application/grpc+proto', 'Application/gRPC; charset=x'])
    t.ok(isGrpc(type), type)
  for (const type of [
    undefined,
    '',
    'application/grpc-web',
    'application/grpc-web+proto',
    'application/json',
    'application/grpcs',
  ]) {
    t.notOk(isGrpc(type), type ?? 'none')
  }
})

const failed = (status: number, detail = 'No.'): string[] =>
  failedCall({ type: 'about:blank', title: '', status, code: 'HR_X', detail, requestId: 'a' })

void test('statuses are those that clients would take by themselves', async (t) => {
  for (const [status, expected] of [
    [400, '13'],
    [401, '16'],
    [403, '7'],
    [404, '12'],
    [413, '2'],
    [429, '14'],
    [500, '2'],
    [502, '14'],
    [503, '14'],
    [504, '14'],
  ] as const) {
    t.same(failed(status).slice(0, 4), ['content-type', 'application/grpc', 'grpc-status', expected], String(status))
  }
})

void test('whatever the text, its field can be sent and is read as the same', async (t) => {
  const message = failed(404, "100 % of 'é' 🚚\r\nX: y").at(-1) as string
  t.equal(message, "100 %25 of '%C3%A9' %F0%9F%9A%9A%0D%0AX: y (HR_X)")
  t.equal(decodeURIComponent(message), "100 % of 'é' 🚚\r\nX: y (HR_X)")
})
