package purge

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func openJournal(t *testing.T, path string) *Journal {
	j, err := OpenJournal(path)
	require.NoError(t, err)
	return j
}

// Whatever tags there are, the next process reads them as they were.
func TestAJournalOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "purged")
	j := openJournal(t, path)
	assert.Empty(t, j.Marks())
	want := []Mark{
		{Kind: URL, Value: "http://a.test/x?y=%20"}, {Kind: Tag, Value: "two words", Soft: true}, {Kind: Tag, Value: "\xff\x00\"\\\n"},
		{Kind: Group, Value: "é", Origin: "http://a.test"}, {Kind: Everything},
	}
	require.NoError(t, j.Add(want[:2]))
	require.NoError(t, j.Add(want[2:]))
	assert.Equal(t, want, j.Marks())
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again := openJournal(t, path)
	assert.Equal(t, want, again.Marks())
	more := Mark{Kind: Tag, Value: "two words"}
	require.NoError(t, again.Add([]Mark{want[0], more, more}))
	assert.Equal(t, append(want, more), openJournal(t, path).Marks(), "each once")
}

// What came after the end that a snapshot began at stays, in the file too.
func TestAJournalForgetsWhatASnapshotKnows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "purged")
	j := openJournal(t, path)
	before, amid := []Mark{{Kind: Tag, Value: "before"}}, []Mark{{Kind: Tag, Value: "amid"}}
	for range 2 {
		require.NoError(t, j.Add(before))
		end := j.End()
		require.NoError(t, j.Add(amid))
		require.NoError(t, j.Forget(end))
		assert.Equal(t, amid, j.Marks())
		assert.Equal(t, amid, openJournal(t, path).Marks())
	}
	require.NoError(t, j.Forget(j.End()))
	assert.Empty(t, openJournal(t, path).Marks())
}

func TestALineThatCannotBeReadIsEverything(t *testing.T) {
	for _, line := range []string{"1 false \"cut o", "x\n", "\n", "99 false \"\" \"\"\n", "1 false \"a\"\n"} {
		path := filepath.Join(t.TempDir(), "purged")
		require.NoError(t, os.WriteFile(path, []byte("1 true \"a\" \"\"\n"+line), 0o600))
		assert.Equal(t, []Mark{{Kind: Tag, Value: "a", Soft: true}, {Kind: Everything}}, openJournal(t, path).Marks(), "%q", line)
	}
}

// With very many marks all of the snapshot counts as purged; the next one begins anew.
func TestAJournalHasABound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "purged")
	j := openJournal(t, path)
	many := make([]Mark, mostJournal)
	for i := range many {
		many[i] = Mark{Kind: Tag, Value: strconv.Itoa(i)}
	}
	require.NoError(t, j.Add(many))
	assert.Len(t, openJournal(t, path).Marks(), mostJournal)
	amid := j.End()
	require.NoError(t, j.Add(many[:1]))
	everything := []Mark{{Kind: Everything}}
	assert.Equal(t, everything, openJournal(t, path).Marks())
	require.NoError(t, j.Forget(amid))
	assert.Equal(t, everything, j.Marks(), "one of them came after the snapshot was begun")
	require.NoError(t, j.Forget(j.End()))
	assert.Empty(t, j.Marks())
}

func TestAJournalThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenJournal(filepath.Join(dir, "none", "purged"))
	assert.ErrorContains(t, err, "no such file")
	path := filepath.Join(dir, "purged")
	j := openJournal(t, path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	assert.ErrorContains(t, j.Add([]Mark{{Kind: Tag, Value: strings.Repeat("t", 10)}}), "is a directory")
}
