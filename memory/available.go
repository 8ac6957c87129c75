package memory

import (
	"bufio"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// Available returns how much memory the process may use, in bytes: the least of
// the limits of its cgroup (version 2 or 1), of those above it, and the memory of
// the machine. Where none is known it is 1 GiB.
func Available() int64 { return available(os.DirFS("/")) }

const unknown = 1 << 30

func available(root fs.FS) int64 {
	least := min(total(root), cgroupLimit(root))
	if least == math.MaxInt64 {
		return unknown
	}
	return least
}

// total returns the memory of the machine.
func total(root fs.FS) int64 {
	for _, line := range lines(root, "proc/meminfo") {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			if err == nil && n > 0 {
				return n << 10
			}
		}
	}
	return math.MaxInt64
}

// cgroupLimit returns the least limit of the cgroups that the process is in. A
// container most often sees its own at the top of the mounted tree, whatever name
// it has outside, hence the look at every folder from there down to the name.
func cgroupLimit(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	for _, line := range lines(root, "proc/self/cgroup") {
		number, rest, _ := strings.Cut(line, ":")
		controllers, name, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		tree, file := "sys/fs/cgroup", "memory.max"
		if number != "0" || controllers != "" {
			if !strings.Contains(","+controllers+",", ",memory,") {
				continue
			}
			tree, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		for folder := path.Join(tree, path.Clean("/"+name)); strings.HasPrefix(folder, tree); folder = path.Dir(folder) {
			least = min(least, limit(root, path.Join(folder, file)))
		}
	}
	return least
}

// limit reads one limit. "max", and the huge number of version 1, are none.
func limit(root fs.FS, file string) int64 {
	const huge = 1 << 60
	for _, line := range lines(root, file) {
		if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil && n > 0 && n < huge {
			return n
		}
	}
	return math.MaxInt64
}

// lines reads a file; one that cannot be read has none.
func lines(root fs.FS, name string) (out []string) {
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}
