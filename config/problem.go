package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// source remembers where values came from: the line of each key path in file.
type source struct {
	file  string
	lines map[string]int
}

// line is that of path or, for a key that is missing, of the block it is missing in.
func (s source) line(path string) int {
	for path != "" {
		if n := s.lines[path]; n > 0 {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// problems collects everything that is wrong, so that one run shows it all.
type problems struct {
	src  source
	list []problem
}

type problem struct {
	line int
	text string
}

// add reports a problem of the value at path.
func (p *problems) add(path, format string, args ...any) {
	p.addAt(p.src.line(path), path+": "+fmt.Sprintf(format, args...))
}

func (p *problems) addAt(line int, text string) {
	p.list = append(p.list, problem{line, text})
}

// err joins the problems in the order of their lines; nil when there are none.
func (p *problems) err() error {
	slices.SortStableFunc(p.list, func(a, b problem) int { return a.line - b.line })
	var errs []error
	for _, one := range p.list {
		switch {
		case one.line > 0:
			errs = append(errs, fmt.Errorf("%s:%d: %s", p.src.file, one.line, one.text))
		case p.src.file != "":
			errs = append(errs, fmt.Errorf("%s: %s", p.src.file, one.text))
		default:
			errs = append(errs, errors.New(one.text))
		}
	}
	return errors.Join(errs...)
}

// Blame puts a key, and its file and line where they are known, before an error
// about its value that was found by who used it.
func (c Config) Blame(path string, err error) error {
	p := &problems{src: c.src}
	p.add(path, "%s", err)
	return p.err()
}
