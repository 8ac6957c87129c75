package revalidate

// cohorts tell when all flights that began before a purge have landed. A cohort is of
// the flights that began between two purges. All is guarded by Fetcher.mu.
type cohorts struct {
	oldest, newest *cohort // the oldest that has flights, or is the newest
}

type cohort struct {
	number  uint64
	flights int
	next    *cohort
}

// begin begins a cohort, and returns the number of the one before it.
func (c *cohorts) begin() uint64 {
	if c.newest == nil {
		c.newest = new(cohort)
		c.oldest = c.newest
		return 0
	}
	before := c.newest
	c.newest = &cohort{number: before.number + 1}
	before.next = c.newest
	c.advance()
	return before.number
}

// join counts a flight that begins now.
func (c *cohorts) join() *cohort {
	c.newest.flights++
	return c.newest
}

// holdMarks keeps the marks that are set from now on in force until release is called,
// as a flight does that began now.
func (f *Fetcher) holdMarks() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.cohorts.join()
	return func() {
		f.mu.Lock()
		ended := f.cohorts.leave(c)
		f.mu.Unlock()
		if ended {
			f.cohortEnded()
		}
	}
}

// leave counts a flight that has landed. It reports whether all before some purge
// have, now.
func (c *cohorts) leave(of *cohort) bool {
	of.flights--
	return c.advance()
}

func (c *cohorts) advance() (ended bool) {
	for c.oldest.flights == 0 && c.oldest != c.newest {
		c.oldest, ended = c.oldest.next, true
	}
	return ended
}

// landed reports whether all flights of a cohort and those before it have landed.
func (c *cohorts) landed(number uint64) bool { return c.oldest.number > number }
