package policy

// Stage is where in the life of a request a step belongs.
type Stage uint8

// The stages, in the order in which a request meets them.
const (
	StageAccept  Stage = iota // what the request is about
	StageKey                  // the name under which its answer is stored
	StageLookup               // what is stored under it
	StageJudge                // whether that may be used
	StageFetch                // the origin is asked
	StageAdmit                // whether its answer may be stored
	StageRespond              // what the client gets
)

func (s Stage) String() string {
	return [...]string{"accept", "key", "lookup", "judge", "fetch", "admit", "respond"}[s]
}

// Code names a kind of step. The table below is the only place where it is
// described.
type Code uint8

// The codes.
const (
	StepRequest Code = iota
	StepRoute
	StepRule
	StepNoRule
	StepWishes
	StepWishesIgnored
	StepCookies

	StepQuery
	StepKey

	StepPass
	StepCacheable
	StepMarks
	StepPurged
	StepNothing
	StepFound
	StepMatches
	StepDiffers
	StepUnfit
	StepOthers
	StepChosen

	StepAge
	StepFreshFor
	StepStaleFor
	StepEnded
	StepNeverFresh
	StepWindows
	StepNeverStale
	StepHeld
	StepNotHeld
	StepDecision

	StepNotPassed
	StepSent
	StepConditions
	StepRange
	StepFlight
	StepAlone
	StepJoined
	StepLanded
	StepReleased
	StepApart
	StepShared
	StepRefresh
	StepAnswered
	StepSwitched
	StepFailed
	StepConfirmed
	StepUnknown
	StepMisfit
	StepUpdatedByHead
	StepStandIn

	StepEdited
	StepTypeRule
	StepGoverns
	StepUngoverned
	StepVoid
	StepBroken
	StepPragma
	StepGate
	StepStatusRule
	StepLifeRule
	StepLifeDirective
	StepLifeExpires
	StepLifeExpiresBroken
	StepLifeStatus
	StepLifeHeuristic
	StepLifeInvalid
	StepLifeNone
	StepClamp
	StepInitialAge
	StepVaries
	StepKeeps
	StepValidated
	StepAdmitted
	StepRefused
	StepTooLong
	StepNotStored
	StepInvalidates

	StepConditionMet
	StepPart
	StepAnswer
	StepFail

	codeCount
)

// StepInfo is a row of the table of steps. In its text, {name} stands for a fact,
// {reason} for the name of the step's reason and {why} for its meaning.
type StepInfo struct {
	Name   string
	Stage  Stage
	Clause string // empty: that of the reason, if it has one
	Text   string
}

var steps = [codeCount]StepInfo{
	StepRequest:       {"request", StageAccept, "", "{method} {url}, asked by {client}"},
	StepRoute:         {"route", StageAccept, "", "the route {route} leads to {origin}"},
	StepRule:          {"rule", StageAccept, "", "rule {index} of {rules}, for {match}, applies: {changes}"},
	StepNoRule:        {"no-rule", StageAccept, "", "none of the rules matches the request; their number is {rules}"},
	StepWishes:        {"wishes", StageAccept, "RFC 9111, 5.2.1", "the client asks for {wishes}"},
	StepWishesIgnored: {"wishes-ignored", StageAccept, "", "a rule says to ignore what clients demand; of {wishes} this is left: {left}"},
	StepCookies:       {"cookies-dropped", StageAccept, "", "a rule drops these cookies from the request: {cookies}"},
	StepPass:          {"pass", StageLookup, "", "it goes straight to the origin: {why}"},
	StepCacheable:     {"may-use-store", StageLookup, "", "nothing in the request forbids a look at the store"},

	StepQuery: {"query", StageKey, "", "rules turn the query {before} into {after}"},
	StepKey:   {"key", StageKey, "RFC 9111, 2", "its key is {key}: scheme {scheme}, host {host}, path {path}, query {query}"},

	StepMarks:   {"marks", StageLookup, "", "what is stored is checked against the purges in force: {marks}"},
	StepPurged:  {"purged", StageLookup, "", "what is stored with status {status} counts as gone: it was asked for before the purge of {mark} at {time}"},
	StepNothing: {"nothing-stored", StageLookup, "", "nothing is stored under this key"},
	StepFound:   {"stored", StageLookup, "", "under this key {count} stored"},
	StepMatches: {"variant-matches", StageLookup, "RFC 9111, 4.1", "response {number} (status {status}) fits: {vary}"},
	StepDiffers: {"variant-differs", StageLookup, "RFC 9111, 4.1", "response {number} (status {status}) does not fit: it is for {field}: {stored}, and here that is {asked}"},
	StepUnfit:   {"variant-unfit", StageLookup, "", "response {number} (status {status}) cannot answer this: {because}"},
	StepOthers:  {"others-differ", StageLookup, "RFC 9111, 4.1", "{count} not fit either"},
	StepChosen:  {"chosen", StageLookup, "RFC 9111, 4", "response {number} is looked at: of those that fit it is the newest"},

	StepAge:        {"age", StageJudge, "RFC 9111, 4.2.3", "its age is {age}: it was {initial} old when it arrived {since} ago"},
	StepFreshFor:   {"fresh-for", StageJudge, "RFC 9111, 4.2", "its lifetime of {lifetime} (by {source}) is not over: it stays fresh for {ttl}"},
	StepStaleFor:   {"stale-for", StageJudge, "RFC 9111, 4.2", "its lifetime of {lifetime} (by {source}) is over: it has been stale for {staleness}"},
	StepEnded:      {"ended", StageJudge, "", "a soft purge ended its freshness at the age of {lifetime}: it has been stale for {staleness}"},
	StepNeverFresh: {"never-fresh", StageJudge, "RFC 9111, 4.2", "nothing gave it a lifetime: it has been stale for {staleness}"},
	StepWindows:    {"stale-windows", StageJudge, "RFC 5861", "stale, it may be used for {revalidate} while it is refreshed, and for {error} when the origin fails"},
	StepNeverStale: {"never-stale", StageJudge, "RFC 9111, 4.2.4", "it may never be used stale: must-revalidate, proxy-revalidate, s-maxage or no-cache says so"},
	StepHeld:       {"part-held", StageJudge, "RFC 9111, 3.3", "only a part of it is stored ({held}), which is all that is asked for"},
	StepNotHeld:    {"part-missing", StageJudge, "RFC 9111, 3.3", "only a part of it is stored ({held}), and more is asked for"},
	StepDecision:   {"decision", StageJudge, "", "the decision is to {action}: {why}"},

	StepNotPassed:     {"fields-not-passed", StageFetch, "", "not passed on to the origin: {fields}"},
	StepSent:          {"asked", StageFetch, "", "the origin is asked: {method} {url}, Host {host}"},
	StepConditions:    {"conditions", StageFetch, "RFC 9111, 4.3.1", "only if it has changed: {conditions}"},
	StepRange:         {"range-asked", StageFetch, "RFC 9111, 3.3", "only for the part that is missing: {range}"},
	StepFlight:        {"flight-started", StageFetch, "", "this request asks the origin, and others for the same may wait with it"},
	StepAlone:         {"flight-alone", StageFetch, "", "it asks by itself: answers for this key could not be shared a moment ago"},
	StepJoined:        {"flight-joined", StageFetch, "", "another client's request for the same is under way, and this one waits for its answer"},
	StepLanded:        {"flight-landed", StageFetch, "", "another request brought the answer to the store in the meantime"},
	StepReleased:      {"flight-released", StageFetch, "RFC 9111, 4", "the answer that it waited for may not be shared with it"},
	StepRefresh:       {"refresh", StageFetch, "RFC 5861, 3", "a refresh in the background begins, unless one is under way"},
	StepApart:         {"flight-apart", StageFetch, "", "this request asks the origin, apart from any other that is under way"},
	StepShared:        {"flight-shared", StageFetch, "RFC 9111, 4", "the answer that it waited for may be shared: {status} from {target}"},
	StepAnswered:      {"origin-answered", StageFetch, "", "{target} answered {status} after {took}"},
	StepFailed:        {"origin-failed", StageFetch, "", "the origin failed: {target}{error}"},
	StepSwitched:      {"origin-switched", StageFetch, "RFC 9110, 7.8", "the origin accepts the other protocol: 101"},
	StepConfirmed:     {"not-modified", StageFetch, "RFC 9111, 4.3.4", "the 304 confirms what is stored: {count} updated"},
	StepUnknown:       {"not-modified-unknown", StageFetch, "RFC 9111, 4.3.3", "the 304 means nothing that is stored: the origin is asked again, for all of it"},
	StepMisfit:        {"part-misfit", StageFetch, "RFC 9111, 3.4", "the answer does not fit the part that is stored: the origin is asked again, for all of it"},
	StepUpdatedByHead: {"head-updates", StageFetch, "RFC 9111, 4.3.5", "the answer to the HEAD updates what is stored"},
	StepStandIn:       {"stand-in", StageFetch, "RFC 5861, 4", "may the stored response stand in for the origin's failure? {verdict}"},

	StepEdited:            {"response-edited", StageAdmit, "", "rules edit its header: {edits}"},
	StepTypeRule:          {"rule-by-type", StageAdmit, "", "rule {index} of {rules}, for Content-Type {type}, applies: {changes}"},
	StepGoverns:           {"governs", StageAdmit, "RFC 9111, 5.2; RFC 9213, 2.2", "the origin's `{field}: {value}` governs, read as: {directives}"},
	StepUngoverned:        {"no-directives", StageAdmit, "", "the origin sends no Cache-Control"},
	StepVoid:              {"targeted-void", StageAdmit, "RFC 9213, 2.2", "{field} is empty or not well-formed, and is ignored"},
	StepBroken:            {"directives-invalid", StageAdmit, "RFC 9111, 4.2.1", "not well-formed: {members}; what restricts in it holds, what permits does not"},
	StepPragma:            {"pragma", StageAdmit, "RFC 9111, 5.4", "its Pragma: no-cache is taken for Cache-Control: no-cache"},
	StepGate:              {"gate", StageAdmit, "", "gate {gate}, {about}: {verdict}"},
	StepStatusRule:        {"status-rule", StageAdmit, "RFC 9111, 3", "the status table says \"{rule}\" of status {status}"},
	StepLifeRule:          {"lifetime", StageAdmit, "configuration", "a rule's ttl gives a lifetime of {lifetime}, whatever the origin says"},
	StepLifeDirective:     {"lifetime", StageAdmit, "RFC 9111, 4.2.1", "the origin's `{field}: {directive}` gives a lifetime of {lifetime}"},
	StepLifeExpires:       {"lifetime", StageAdmit, "RFC 9111, 4.2.1", "Expires ({expires}) less Date ({date}) gives a lifetime of {lifetime}"},
	StepLifeExpiresBroken: {"lifetime", StageAdmit, "RFC 9111, 5.3", "Expires ({expires}) is no date, which counts as past: a lifetime of 0 s"},
	StepLifeStatus:        {"lifetime", StageAdmit, "configuration", "the origin gives no lifetime; the one configured for status {status} is {lifetime}"},
	StepLifeHeuristic:     {"lifetime", StageAdmit, "RFC 9111, 4.2.2", "the origin gives no lifetime; {percent} % of the {since} between Last-Modified and Date, at most {most}, is {lifetime}"},
	StepLifeInvalid:       {"lifetime", StageAdmit, "RFC 9111, 4.2.1", "the lifetime in {field} is not a number of seconds, which counts as stale: 0 s"},
	StepLifeNone:          {"lifetime", StageAdmit, "RFC 9111, 4.2.1", "nothing gives it a lifetime: {because}"},
	StepClamp:             {"lifetime-clamped", StageAdmit, "configuration", "{bound} turns the lifetime of {from} into {to}"},
	StepInitialAge:        {"initial-age", StageAdmit, "RFC 9111, 4.2.3", "it was {age} old on arrival: the greater of {apparent} (arrival less Date) and {field} (its Age field) + {delay} (the exchange)"},
	StepVaries:            {"varies", StageAdmit, "RFC 9111, 4.1", "it is for requests that agree in {fields}"},
	StepKeeps:             {"keeps", StageAdmit, "", "what it can be validated with: {validators}; stale, it may be used for {revalidate} while it is refreshed and for {error} when the origin fails"},
	StepValidated:         {"always-validated", StageAdmit, "RFC 9111, 5.2.2.4", "the origin wants every use of it validated, fresh or not"},
	StepAdmitted:          {"admitted", StageAdmit, "RFC 9111, 3", "it may be stored"},
	StepTooLong:           {"too-long", StageAdmit, "", "it is not stored: its content of {length} bytes is more than the {most} of the largest object that is stored"},
	StepRefused:           {"refused", StageAdmit, "", "it is not stored: {why}"},
	StepNotStored:         {"not-stored-after-all", StageAdmit, "", "it was not stored in the end: {why}"},
	StepInvalidates:       {"invalidates", StageAdmit, "RFC 9111, 4.4", "the {method} succeeded, so what is stored for {key} is forgotten"},

	StepConditionMet: {"condition-met", StageRespond, "RFC 9110, 13.2.2", "the client has this response already, by its own condition: 304"},
	StepPart:         {"part", StageRespond, "RFC 9110, 14.2", "the client asked for a part: {part}"},
	StepAnswer:       {"answer", StageRespond, "", "the client gets {status} from the {from}, {result}"},
	StepFail:         {"fail", StageRespond, "", "the proxy answers {status} by itself: {why}"},
}

// Info returns the code's row of the table.
func (c Code) Info() StepInfo { return steps[c] }

func (c Code) String() string { return steps[c].Name }

// Codes returns every code, in the order of the table.
func Codes() []Code {
	all := make([]Code, codeCount)
	for i := range all {
		all[i] = Code(i)
	}
	return all
}
