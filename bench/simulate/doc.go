// Package simulate tells how a cache of a given size would have done on a trace
// or on the access log of a site.
//
// # What is counted
//
// Of a log, requests that a shared cache could answer: GET and HEAD with status
// 200, 203, 204, 206, 300, 301, 404 or 410 (what cacheproxy stores without
// being told to), and 304, which stands for an answer that the client had
// already. Lines of which the log says that nobody may share them do not count.
//
// An object is a host, a target and a size: a URL with a new size is a new
// version, or another variant, which the cache has to fetch once. HEAD, 206 and
// 304 do not show the size; they are requests for the version that was seen
// last, or for the first one that will be.
//
// # What is not known
//
// A log does not say how long an answer stays fresh, nor whether its fields
// forbid to store it. The results are those of a site where everything that
// counts may be stored and stays fresh: real caches do worse by what they must
// fetch again.
//
// Reading order: sequence.go (what is replayed), replay.go, then the policies.
package simulate
