/** One kind of request, sent to every contender. */
export interface Scenario {
  name: string
  title: string
  method: 'GET' | 'POST'
  path: string
  body: string | null
  /** Length of the answer's body: fewer bytes than this a request make a round invalid. */
  answerBytes: number
  /** Also part of `--quick`. */
  quick: boolean
  /** By contender: the least ratio of its requests per CPU-second to the reference's. */
  targets: Readonly<Record<string, number>>
}
