/**
 * How long the habits of TCP and MQTT take, as measured with MQTT.js, aedes and Mosquitto on Linux with a keep-alive of
 * 1 s. All in microseconds; where there are two bounds, a value from the first to the second is drawn each time.
 */

/** From the first to the second, in microseconds: a value in between is drawn each time. */
export type RangeUs = readonly [minUs: number, maxUs: number];

/** An endpoint that gets no answer to its ping gives its connection up so long after the cut. */
export const endpointGivesUpUs: RangeUs = [700_000, 800_000];

/** A broker that hears no ping gives the connection up so long after the cut: one and a half keep-alives at most. */
export const brokerGivesUpUs: RangeUs = [900_000, 1_500_000];

/** From losing a connection, or an attempt that was refused, to the next attempt: `reconnectPeriod` and some jitter. */
export const reconnectUs: RangeUs = [200_000, 220_000];

/** How long an attempt waits for its CONNACK. */
export const connectTimeoutUs: RangeUs = [1_000_000, 1_000_000];

/** From the start of a process to its first attempt to connect. */
export const firstConnectUs: RangeUs = [100, 5_000];

/** From a heal to TCP's next try to send again what was lost: its retransmission timeout is at least 200 ms. */
export const retransmitUs: RangeUs = [500, 200_000];

/** Between two packets that waited, when they go on. */
export const drainPeriodUs: RangeUs = [20, 20];

/** From a reconnect to the arrival of what had waited on the connection before. */
export const staleReplayUs: RangeUs = [1_000, 50_000];
