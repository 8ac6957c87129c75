package revalidate

import (
	"net/http"
	"strconv"
	"strings"

	"cacheproxy/policy"
	"cacheproxy/purge"
)

// trace returns where the job's steps are recorded; nil when nobody wants them.
func (j *Job) trace() *policy.Trace { return j.Facts.Trace }

// traceMarks tells which purges are still to be looked out for: of the others nothing
// is left in the store.
func (f *Fetcher) traceMarks(t *policy.Trace) {
	if t == nil {
		return
	}
	marks := []string{"none"}
	if states := f.marks.Load().states; len(states) > 0 {
		marks = marks[:0]
		for _, s := range states {
			marks = append(marks, s.Mark.String())
		}
	}
	t.Note(policy.StepMarks, "marks", marks)
}

// tracePurged tells that a hard mark hits an entry.
func (r *Resource) tracePurged(e *Entry, m *purge.Mark) {
	if r.trace != nil {
		r.trace.Note(policy.StepPurged, "status", e.Status, "mark", m.String(), "time", m.Time)
	}
}

// traceAsked tells by which conditions, or for which part, the origin is asked.
func (j *Job) traceAsked(r *http.Request, conditional bool) {
	t := j.trace()
	if t == nil {
		return
	}
	if conditional {
		var all []string
		for _, name := range []string{"If-None-Match", "If-Modified-Since"} {
			if lines := r.Header[name]; len(lines) > 0 {
				all = append(all, name+": "+strings.Join(lines, ", "))
			}
		}
		t.Note(policy.StepConditions, "conditions", all)
	}
	if j.Decision.Missing != nil {
		t.Note(policy.StepRange, "range", r.Header.Get("Range"))
	}
}

// traceAnswered tells what the origin answered, or how it failed.
func (j *Job) traceAnswered(resp *http.Response, times policy.Times, err error) {
	t := j.trace()
	switch {
	case t == nil:
	case err == nil:
		t.Note(policy.StepAnswered, "target", targetOf(resp), "status", resp.StatusCode, "took", times.Received.Sub(times.Requested))
	default:
		if _, switched := err.(*Switched); switched {
			t.Note(policy.StepSwitched)
			return
		}
		f := failureOf(err)
		where := ""
		if f.Target != "" {
			where = f.Target + ", "
		}
		t.Decide(policy.StepFailed, f.Reason, "target", where, "error", f.Err.Error())
	}
}

// traceAgain tells why the origin is asked again.
func (j *Job) traceAgain(conditional bool) {
	if conditional {
		j.trace().Note(policy.StepUnknown)
		return
	}
	j.trace().Note(policy.StepMisfit)
}

// traceConfirmed tells how many stored responses a 304 means.
func (j *Job) traceConfirmed(n int) {
	t := j.trace()
	switch {
	case t == nil:
	case n == 1:
		t.Note(policy.StepConfirmed, "count", "1 response is")
	default:
		t.Note(policy.StepConfirmed, "count", strconv.Itoa(n)+" responses are")
	}
}

// traceStarted tells that a flight begins with the job.
func (j *Job) traceStarted(alone bool) {
	code := policy.StepFlight
	if alone {
		code = policy.StepApart
	}
	j.trace().Note(code)
}

// traceShared tells a job that waited what the flight of another brought.
func (j *Job) traceShared(a *Answer) {
	if t := j.trace(); t != nil && a != nil && a.Collapsed {
		t.Note(policy.StepShared, "target", a.Target, "status", a.FwdStatus)
	}
}

// traceTooLarge tells that a response has more content than is stored.
func (j *Job) traceTooLarge(length, most int64) {
	if t := j.trace(); t != nil {
		t.Decide(policy.StepTooLong, policy.TooLarge, "length", length, "most", most)
	}
}

// traceUnstored tells that no answer to the method of a job that passes is stored.
func (j *Job) traceUnstored() {
	switch j.Facts.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost: // another reason has been told
	default:
		j.trace().Decide(policy.StepRefused, policy.MethodNotStored)
	}
}
