package purge

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// mostJournal bounds the marks of a journal. What they hit with more of them is
// everything.
const mostJournal = 50_000

// Journal is a file with the marks that were set since a snapshot was begun: what they
// hit must not come back with it, should the process be killed before the next one. It
// outlives the process, and not always the machine: it is not waited for until it is on
// the disk.
type Journal struct {
	path string

	mu    sync.Mutex
	marks []Mark
	past  int           // marks that were forgotten
	noted map[Mark]bool // since the last End: they need not be noted again
}

// OpenJournal opens a journal, or begins one. A line that cannot be read, such as one
// that was cut off, counts as a mark for everything.
func OpenJournal(path string) (*Journal, error) {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	j := &Journal{path: path, noted: map[Mark]bool{}}
	for line := range strings.Lines(string(text)) {
		j.note([]Mark{parseLine(line)})
	}
	return j, j.rewrite()
}

func (m *Mark) line() string { return fmt.Sprintf("%d %t %q %q\n", m.Kind, m.Soft, m.Value, m.Origin) }

func parseLine(line string) (m Mark) {
	n, err := fmt.Sscanf(line, "%d %t %q %q\n", &m.Kind, &m.Soft, &m.Value, &m.Origin)
	if n != 4 || err != nil || m.Kind > Everything {
		return Mark{Kind: Everything}
	}
	return m
}

// note takes marks into memory, and returns those that were not there.
func (j *Journal) note(marks []Mark) (added []Mark) {
	for _, m := range marks {
		m.Time = time.Time{}
		if !j.noted[m] {
			j.noted[m] = true
			added = append(added, m)
		}
	}
	j.marks = append(j.marks, added...)
	if len(j.marks) > mostJournal {
		j.past += len(j.marks)
		j.marks = []Mark{{Kind: Everything}}
		clear(j.noted)
	}
	return added
}

// rewrite puts a new file with the marks in the place of the old one.
func (j *Journal) rewrite() error {
	if err := os.WriteFile(j.path+".tmp", []byte(lines(j.marks)), 0o600); err != nil {
		return err
	}
	return os.Rename(j.path+".tmp", j.path)
}

func lines(marks []Mark) string {
	var b strings.Builder
	for i := range marks {
		b.WriteString(marks[i].line())
	}
	return b.String()
}

// Add notes marks, which are in the file when it returns nil.
func (j *Journal) Add(marks []Mark) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	past := j.past
	added := j.note(marks)
	switch {
	case j.past > past:
		return j.rewrite()
	case len(added) == 0:
		return nil
	}
	file, err := os.OpenFile(j.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(lines(added))
	return errors.Join(err, file.Close())
}

// Marks returns the marks, without times: they hit whatever the snapshot has.
func (j *Journal) Marks() []Mark {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Mark(nil), j.marks...)
}

// End is a place behind all marks that there are now.
func (j *Journal) End() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.noted)
	return j.past + len(j.marks)
}

// Forget forgets the marks before a place that End returned: there is a snapshot that
// was begun after them.
func (j *Journal) Forget(end int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := max(0, end-j.past); n > 0 {
		j.past += n
		j.marks = append([]Mark(nil), j.marks[n:]...)
	}
	return j.rewrite()
}
