import { withoutKeys } from '../access/key/key-in-url.ts'
import { type FoundOperation, NoOperation, type Operations } from '../openapi/found-operations.ts'
import { MockOperationError } from './errors.ts'

/** The operation that a request is answered as. @throws HR_MOCK_OPERATION, saying what its path does have */
export function operationOf(operations: Operations, method: string, path: string): FoundOperation {
  const found = operations.find(method, path)
  if (!(found instanceof NoOperation)) return found
  const there = found.methods.length === 0 ? 'none of its paths fits' : `the path has ${found.methods.join(', ')}`
  throw new MockOperationError(`${method} ${withoutKeys(path)}`, `${there}: add it under paths`)
}
