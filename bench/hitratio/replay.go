package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"cacheproxy/bench/simulate"
	"cacheproxy/bench/trace"
)

// percents are the sizes of the caches, in percent of the footprint.
var percents = []int{1, 5, 10, 25}

const suffix = ".txt.gz"

// traceFile is a trace that has been read.
type traceFile struct {
	Trace     string `json:"trace"`
	Requests  int    `json:"requests"`
	Objects   int    `json:"objects"`
	Footprint int64  `json:"footprint"` // bytes

	ctx      context.Context
	sequence *simulate.Sequence
	sizes    []int64
	next     []int32 // index of the next request for the same object; never = none
}

// ratios are the shares of the requests and of the bytes that were hits, 0 to 1.
type ratios struct {
	Object float64 `json:"object"`
	Byte   float64 `json:"byte"`
}

const never = math.MaxInt32

func readTrace(ctx context.Context, path string) (*traceFile, error) {
	r, err := trace.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := simulate.NewBuilder()
	if err := b.Read(r, nil); err != nil {
		return nil, err
	}
	if r.Skipped() > 0 {
		return nil, fmt.Errorf("%s: %d lines cannot be read; %s", path, r.Skipped(), r.FirstSkipped())
	}
	s := b.Sequence()
	t := &traceFile{
		Trace:     strings.TrimSuffix(filepath.Base(path), suffix),
		Requests:  len(s.Accesses),
		Objects:   len(s.Objects),
		Footprint: s.Footprint(),
		ctx:       ctx, sequence: s, sizes: s.Sizes(), next: nextUses(s),
	}
	for _, size := range t.sizes {
		if size > math.MaxUint32 {
			return nil, fmt.Errorf("%s: an object of %d bytes; otter takes at most %d", path, size, uint32(math.MaxUint32))
		}
	}
	return t, nil
}

// nextUses finds for each request the next one of the same object.
func nextUses(s *simulate.Sequence) []int32 {
	next := make([]int32, len(s.Accesses))
	upcoming := make([]int32, len(s.Objects))
	for o := range upcoming {
		upcoming[o] = never
	}
	for i := len(next) - 1; i >= 0; i-- {
		o := s.Accesses[i].Object
		next[i], upcoming[o] = upcoming[o], int32(i)
	}
	return next
}

// replayAll replays every trace of a folder in every size through every policy.
func replayAll(ctx context.Context, dir string, stderr io.Writer) (*record, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, usageError{fmt.Errorf("--traces: %w", err)}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no *%s in %s; a trace is lines of \"ID SIZE\"", suffix, dir)
	}
	r := &record{Version: recordVersion}
	for _, path := range paths {
		t, err := readTrace(ctx, path)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(stderr, "%s: %d requests, %d objects, %d bytes\n", t.Trace, t.Requests, t.Objects, t.Footprint)
		rows, err := replayTrace(t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Trace, err)
		}
		r.Traces = append(r.Traces, *t)
		r.Rows = append(r.Rows, rows...)
	}
	return r, nil
}

// replayTrace runs as many replays at a time as there are CPUs; the rows are in
// order all the same.
func replayTrace(t *traceFile) ([]row, error) {
	rows := make([]row, 0, len(percents)*len(policies))
	for _, percent := range percents {
		for _, p := range policies {
			rows = append(rows, row{Trace: t.Trace, Percent: percent, Policy: p.name})
		}
	}
	errs := make([]error, len(rows))
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				max := t.Footprint * int64(rows[i].Percent) / 100
				rows[i].ratios, errs[i] = policies[i%len(policies)].run(t, max)
			}
		})
	}
	for i := range rows {
		work <- i
	}
	close(work)
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rows[i].Policy, err)
		}
	}
	return rows, nil
}
