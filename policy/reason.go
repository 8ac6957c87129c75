package policy

// Reason says why something was decided. The table below is the only place
// where a reason is described: Cache-Status detail, metric label, log field
// and docs/reasons.md all come from it.
type Reason uint8

// The reasons of a request, of a refused admission, and of a failure.
const (
	ReasonNone Reason = iota

	// Why a stored response was used.
	Fresh
	Immutable
	StaleWhileRevalidate
	MaxStale
	StaleIfError

	// Why the origin was asked.
	URIMiss
	VaryMiss
	MethodMiss
	PartialMiss
	Stale
	ResponseNoCache
	RequestNoCache
	RequestMaxAge
	RequestMinFresh

	// Why the request went past the cache.
	Method
	RequestNoStore
	RequestBody
	OriginCondition
	Upgrade
	DotSegments
	Bypass

	// Why a response was not stored.
	MethodNotStored
	StatusNever
	StatusNeedsExplicit
	NotUnderstood
	NoStore
	Private
	Authorization
	SetCookie
	TypeMismatch
	VaryStar
	PartialUnusable
	NoFreshness
	ContentLocation
	TooLarge
	TooManyTags
	Incomplete
	Invalidated
	Superseded
	StoreRefused

	// Why the proxy answered by itself.
	OnlyIfCached
	RangeNotSatisfiable
	MethodNotAllowed
	BadRequest
	RequestTimeout
	ContentTooLarge
	URITooLong
	HeaderTooLarge
	TooManyRequests
	TooManyConnections
	NotImplemented
	VersionNotSupported
	NoRoute
	Loop
	Overloaded
	OriginBusy
	OriginDown
	OriginUnreachable
	OriginTimeout
	OriginInvalid
	ClientGone
	Purge
	PurgeForbidden

	reasonCount
)

// Group is what a reason explains.
type Group uint8

// The groups, in the order in which a request meets them.
const (
	GroupNone   Group = iota
	GroupServe        // a stored response was used
	GroupFetch        // the origin was asked, and the answer may be stored
	GroupPass         // the request went past the cache
	GroupRefuse       // the answer was not stored
	GroupFail         // the proxy answered by itself
)

func (g Group) String() string {
	return [...]string{"none", "serve", "fetch", "pass", "refuse", "fail"}[g]
}

// ReasonInfo is a row of the table of reasons.
type ReasonInfo struct {
	Name   string // in Cache-Status detail, logs and metrics
	Group  Group
	Fwd    string // RFC 9211, 2.2: the forward reason of Cache-Status, if it forwards
	Clause string
	Text   string
}

var reasons = [reasonCount]ReasonInfo{
	ReasonNone: {Name: "none", Text: "nothing was decided"},

	Fresh:                {"fresh", GroupServe, "", "RFC 9111, 4.2", "the stored response is fresh"},
	Immutable:            {"immutable", GroupServe, "", "RFC 8246, 2", "the stored response is fresh and immutable, so a plain reload does not revalidate it"},
	StaleWhileRevalidate: {"stale-while-revalidate", GroupServe, "", "RFC 5861, 3", "the stored response is stale, may be used while it is refreshed, and a refresh is under way"},
	MaxStale:             {"max-stale", GroupServe, "", "RFC 9111, 5.2.1.2", "the stored response is stale, and the client accepts that"},
	StaleIfError:         {"stale-if-error", GroupServe, "stale", "RFC 5861, 4; RFC 9111, 4.2.4", "the origin failed, and the stored response may be used instead"},

	URIMiss:         {"uri-miss", GroupFetch, "uri-miss", "RFC 9111, 4", "nothing is stored for this URL"},
	VaryMiss:        {"vary-miss", GroupFetch, "vary-miss", "RFC 9111, 4.1", "responses are stored for this URL, but none for these request header fields"},
	MethodMiss:      {"method-miss", GroupFetch, "miss", "RFC 9111, 4", "only the answer to a HEAD is stored"},
	PartialMiss:     {"partial-miss", GroupFetch, "partial", "RFC 9111, 3.3", "only a part of the response is stored, and not all of what is asked for"},
	Stale:           {"stale", GroupFetch, "stale", "RFC 9111, 4.2.4", "the stored response is stale and must be validated"},
	ResponseNoCache: {"response-no-cache", GroupFetch, "stale", "RFC 9111, 5.2.2.4", "the origin wants every use of the response validated"},
	RequestNoCache:  {"request-no-cache", GroupFetch, "request", "RFC 9111, 5.2.1.4; 5.4", "the client asks for a validated response"},
	RequestMaxAge:   {"request-max-age", GroupFetch, "request", "RFC 9111, 5.2.1.1", "the stored response is older than the client accepts"},
	RequestMinFresh: {"request-min-fresh", GroupFetch, "request", "RFC 9111, 5.2.1.3", "the stored response does not stay fresh for as long as the client asks"},

	Method:          {"method", GroupPass, "method", "RFC 9111, 4", "responses to this method are not served from the cache"},
	RequestNoStore:  {"request-no-store", GroupPass, "request", "RFC 9111, 5.2.1.5", "the client forbids storing the response"},
	RequestBody:     {"request-body", GroupPass, "bypass", "RFC 9110, 9.3.1", "a GET or HEAD with content has no defined meaning and is not cached"},
	OriginCondition: {"origin-condition", GroupPass, "bypass", "RFC 9111, 4.3.2", "If-Match and If-Unmodified-Since are for the origin to evaluate"},
	Upgrade:         {"upgrade", GroupPass, "bypass", "RFC 9110, 7.8", "the client asks for another protocol"},
	DotSegments:     {"dot-segments", GroupPass, "bypass", "RFC 3986, 5.2.4", "the path has dot segments, which origins resolve each in its own way: what is stored under one name might belong to another"},
	Bypass:          {"bypass", GroupPass, "bypass", "configuration", "a rule sends these requests past the cache"},

	MethodNotStored:     {"method-not-stored", GroupRefuse, "", "RFC 9111, 3", "responses to this method are not stored"},
	StatusNever:         {"status-never", GroupRefuse, "", "RFC 9111, 3", "the status table never stores this status, whatever the origin says"},
	StatusNeedsExplicit: {"status-needs-explicit", GroupRefuse, "", "RFC 9111, 3; 4.2.2", "this status is stored only with explicit freshness, and there is none"},
	NotUnderstood:       {"not-understood", GroupRefuse, "", "RFC 9111, 5.2.2.3", "must-understand, and the caching rules of this status are not known"},
	NoStore:             {"no-store", GroupRefuse, "", "RFC 9111, 5.2.2.5", "the origin forbids storing"},
	Private:             {"private", GroupRefuse, "", "RFC 9111, 5.2.2.7", "the response is for one user only"},
	Authorization:       {"authorization", GroupRefuse, "", "RFC 9111, 3.5", "the request carried credentials, and the response does not permit sharing"},
	SetCookie:           {"set-cookie", GroupRefuse, "", "RFC 9111, 7.3; configuration", "the response sets a cookie, and the rule is to not store such responses"},
	TypeMismatch:        {"type-mismatch", GroupRefuse, "", "RFC 9110, 8.3; configuration", "the path ends like that of a static file, and the Content-Type says that it is something else: a page of one user may stand behind it"},
	VaryStar:            {"vary-star", GroupRefuse, "", "RFC 9111, 4.1", "Vary is *, or names something that is no field: it never matches a later request"},
	PartialUnusable:     {"partial-unusable", GroupRefuse, "", "RFC 9111, 3.3", "a 206 that does not say, or says wrongly, which single part it holds"},
	NoFreshness:         {"no-freshness", GroupRefuse, "", "RFC 9111, 4.2", "no freshness lifetime and no validator: it could never be used"},
	ContentLocation:     {"content-location", GroupRefuse, "", "RFC 9110, 9.3.3", "a POST is stored only with explicit freshness and a Content-Location equal to its URL"},
	TooLarge:            {"too-large", GroupRefuse, "", "configuration", "the body is larger than the largest object that is stored"},
	TooManyTags:         {"too-many-tags", GroupRefuse, "", "configuration", "the response has more than 256 tags and groups, or 16 KiB of them: a purge could miss it"},
	Incomplete:          {"incomplete", GroupRefuse, "", "RFC 9111, 3.3; RFC 9112, 8", "the body ended before it was complete"},
	Invalidated:         {"invalidated", GroupRefuse, "", "RFC 9111, 4.4", "the URL was invalidated while the response was on its way"},
	Superseded:          {"superseded", GroupRefuse, "", "RFC 9111, 4", "a response that was asked for later is already stored"},
	StoreRefused:        {"store-refused", GroupRefuse, "", "configuration", "the store is full of entries that are worth more"},

	OnlyIfCached:        {"only-if-cached", GroupFail, "", "RFC 9111, 5.2.1.7", "the client wants a stored response only, and none can be used"},
	RangeNotSatisfiable: {"range-not-satisfiable", GroupServe, "", "RFC 9110, 15.5.17", "no byte of the stored response lies in the range asked for"},
	MethodNotAllowed:    {"method-not-allowed", GroupFail, "", "RFC 9110, 15.5.6", "the proxy does not forward this method"},
	BadRequest:          {"bad-request", GroupFail, "", "RFC 9110, 15.5.1", "the request cannot be understood or forwarded"},
	RequestTimeout:      {"request-timeout", GroupFail, "", "RFC 9110, 15.5.9", "the client did not send its request, or the content of it, in time"},
	ContentTooLarge:     {"content-too-large", GroupFail, "", "RFC 9110, 15.5.14", "the content of the request is larger than is accepted"},
	URITooLong:          {"uri-too-long", GroupFail, "", "RFC 9110, 15.5.15", "the target of the request is longer than is accepted"},
	HeaderTooLarge:      {"header-too-large", GroupFail, "", "RFC 6585, 5", "the header of the request is larger, or has more fields, than is accepted"},
	TooManyRequests:     {"too-many-requests", GroupFail, "", "RFC 6585, 4", "the client sends more requests than it may"},
	TooManyConnections:  {"too-many-connections", GroupFail, "", "RFC 9110, 15.6.4", "more connections are open, from this client or in all, than are accepted"},
	NotImplemented:      {"not-implemented", GroupFail, "", "RFC 9112, 6.1; RFC 9110, 15.6.2", "the method of the request, or the transfer coding of its content, is not implemented"},
	VersionNotSupported: {"version-not-supported", GroupFail, "", "RFC 9110, 15.6.6", "the request is of a version of HTTP that is not spoken here"},
	NoRoute:             {"no-route", GroupFail, "", "RFC 9110, 15.5.20", "no route is configured for this host and path"},
	Loop:                {"loop", GroupFail, "", "RFC 8586; RFC 9110, 7.6.3", "the request has already been through this proxy"},
	Overloaded:          {"overloaded", GroupFail, "", "RFC 9110, 15.6.4", "the proxy has as many requests as it takes at once, from this client or in all: they wait for origins, or have not come whole"},
	OriginBusy:          {"origin-busy", GroupFail, "", "RFC 9110, 15.6.4", "the origin has as many requests as it may get at once, and no more can wait"},
	OriginDown:          {"origin-down", GroupFail, "", "RFC 9110, 15.6.4", "no server of the origin is up, or it asked to be left alone for a while"},
	OriginUnreachable:   {"origin-unreachable", GroupFail, "", "RFC 9110, 15.6.3", "no connection to the origin could be made, or it was lost before an answer"},
	OriginTimeout:       {"origin-timeout", GroupFail, "", "RFC 9110, 15.6.5", "the origin did not answer in time"},
	OriginInvalid:       {"origin-invalid", GroupFail, "", "RFC 9110, 15.6.3", "the origin's answer is not valid HTTP"},
	ClientGone:          {"client-gone", GroupFail, "", "RFC 9110, 15", "the client left before there was an answer"},
	Purge:               {"purge", GroupFail, "", "configuration", "the client asked to throw stored responses away, which was done"},
	PurgeForbidden:      {"purge-forbidden", GroupFail, "", "RFC 9110, 15.5.4", "PURGE is not allowed from the client's address, or to pages of a browser"},
}

// Info returns the reason's row of the table.
func (r Reason) Info() ReasonInfo { return reasons[r] }

func (r Reason) String() string { return reasons[r].Name }

// Reasons returns every reason but ReasonNone, in the order of the table.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := ReasonNone + 1; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}
