import { durationSamples, family, type MetricDefinition, type MetricSource } from './families.ts'
import type { TrafficSnapshot } from './traffic.ts'

const requests: MetricDefinition = {
  name: 'headrace_requests_total',
  type: 'counter',
  help: 'Requests answered, by the route that took them, the method (OTHER for unusual ones) and the status sent',
  labels: ['route', 'method', 'status'],
}

const duration: MetricDefinition = {
  name: 'headrace_request_duration_seconds',
  type: 'histogram',
  help: "From a request's head to the last byte of its answer, by route",
  labels: ['route'],
}

/** What the gateway's routes have answered, read from plain integers when someone asks. */
export function trafficMetrics(traffic: { snapshot(): TrafficSnapshot }): MetricSource {
  return {
    definitions: [requests, duration],
    collect() {
      const routes = traffic.snapshot()
      return [
        family(
          requests,
          routes.flatMap((entry) =>
            entry.requests.map(({ method, status, count }) => ({
              labels: { route: entry.route, method, status },
              value: count,
            })),
          ),
        ),
        family(
          duration,
          routes.flatMap((entry) => durationSamples(duration.name, { route: entry.route }, entry.duration)),
        ),
      ]
    },
  }
}
