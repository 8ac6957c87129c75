package memory

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

func TestAvailable(t *testing.T) {
	const machine = "MemTotal:        8000 kB\nMemFree:         1000 kB\n"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"nothing is known", nil, unknown},
		{"no container", map[string]string{"proc/meminfo": machine}, 8000 << 10},
		{"version 2, seen from inside", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4096000\n",
		}, 4096000},
		{"version 2, a name that is not there", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "4096000\n",
		}, 4096000},
		{"version 2, a name outside the tree", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/../../abc\n", "sys/fs/cgroup/memory.max": "4096000\n",
		}, 4096000},
		{"version 2, the one above is stricter", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "5000000\n", "sys/fs/cgroup/a/memory.max": "3000000\n", "sys/fs/cgroup/memory.max": "max\n",
		}, 3000000},
		{"version 2 without a limit", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n",
		}, 8000 << 10},
		{"version 1", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/pod\n",
			"sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "2000000\n",
		}, 2000000},
		{"version 1 without a limit", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 8000 << 10},
		{"a limit above what there is", map[string]string{
			"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "99999999999\n",
		}, 8000 << 10},
		{"rubbish", map[string]string{
			"proc/meminfo": "MemTotal: much kB\n", "proc/self/cgroup": "0\n::\nx:memory", "sys/fs/cgroup/memory.max": "-1\n",
		}, unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range tc.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			assert.Equal(t, tc.want, available(root))
		})
	}
	assert.Positive(t, Available(), "this machine")
}

func FuzzAvailable(f *testing.F) {
	f.Add("0::/a\n", "100\n")
	f.Add("4:memory:/../..\n", "max")
	f.Fuzz(func(t *testing.T, cgroup, limit string) {
		root := fstest.MapFS{"proc/self/cgroup": {Data: []byte(cgroup)}}
		for _, tree := range []string{"memory.max", "memory/memory.limit_in_bytes", "a/memory.max"} {
			root["sys/fs/cgroup/"+tree] = &fstest.MapFile{Data: []byte(limit)}
		}
		assert.Positive(t, available(root), fmt.Sprintf("%q %q", cgroup, limit))
	})
}
