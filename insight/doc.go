// Package insight learns from outcomes what operators want to know: how much
// the cache saves, why it misses, what is asked for most, and whether clients
// and origins get what was promised.
//
// # Flow
//
// [Insight.Observe] is told every [proxy.Outcome]. It counts into one of many
// shards, and hands some outcomes on: all while it is quiet, a sample when it
// is busy. Once a second the shards are emptied into a series: by the second
// for 5 minutes, by the minute for 24 hours, by the hour for 30 days. All
// answers are read from the series, from [Top] and from the recent requests.
// [API] serves them as JSON, [Collector] as metrics.
//
// # Scope
//
// Everything is kept in memory, in about 5 MiB whatever the traffic is, and
// begins anew with the process. Only requests of clients are seen: a refresh in
// the background is not one. Nothing here changes what the proxy does.
package insight
