/** What of its distance from the target, and of its change, a step takes back. Tuned on the queue of test/services/pressure. */
const PROPORTIONAL = 0.15
const DERIVATIVE = 0.4
/** A step goes up by so much at most, and down. */
const MOST_UP = 0.05
const MOST_DOWN = 0.4
/** Up where the process has more than half of its time to spare and nothing waits: what pressed is over. */
const MOST_UP_AT_REST = 0.2
const AT_REST = 0.5
/** A step down where nothing is left of the time: how much too much there is does not show in it. */
const SATURATED_DOWN = 0.05
/** Something always passes: it is what shows that more could. */
const LEAST = 0.02
/** Samples that have to be over in a row before anything is turned away: a collection of the heap, or one slow job, is none. */
const PATIENCE = 3

/**
 * The share of the requests that may pass, from how hard the gateway is pressed: a PI controller of the delay, as PIE has it
 * (RFC 8033 §4.2), whose step is taken of the share itself: however many come, what passes changes by the same part of what
 * can be served. So it settles where the pressure is at its target, and serves nearly all that it can, where a switch between
 * all and nothing would serve by turns too much and too little.
 *
 * How busy the process is says something else: below the target, what the share should be (twice as much, where it has half
 * to do), and at the target, only that it is too much. A controller of changes would take each quiet moment for one.
 *
 * It begins late (after several samples over a target) and ends slowly, when the whole share has been given back: that is
 * its hysteresis.
 */
export class AdmittedShare {
  /** 0.02…1 */
  share = 1
  #before = 0
  #overFor = 0

  /**
   * Of the sample that has just ended.
   *
   * @param pressure 1 is the target
   * @param busy 1 is the target, and 0 says nothing
   */
  step(pressure: number, busy = 0): void {
    const change = pressure - this.#before
    this.#before = pressure
    this.#overFor = pressure > 1 || busy > 1 ? this.#overFor + 1 : 0
    if (this.share === 1 && this.#overFor < PATIENCE) return
    const pressed = PROPORTIONAL * (pressure - 1) + DERIVATIVE * change
    const saturated = busy > 1 ? SATURATED_DOWN : 1 - 1 / busy
    const isAtRest = busy > 0 && busy < AT_REST && pressure < AT_REST
    const step = Math.min(MOST_DOWN, Math.max(isAtRest ? -MOST_UP_AT_REST : -MOST_UP, pressed, saturated))
    this.share = Math.min(1, Math.max(LEAST, this.share * (1 - step)))
  }
}
