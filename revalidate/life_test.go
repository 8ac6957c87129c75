package revalidate

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

func TestLifeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Life
		var ran []string
		note := func(s string) func() { return func() { ran = append(ran, s) } }
		first := l.AfterFunc(note("first"))
		second := l.AfterFunc(note("second"))
		third := l.AfterFunc(note("third"))
		child, cancel := context.WithCancel(&l)
		defer cancel()
		assert.True(t, second(), "in the middle of the list")
		assert.False(t, second(), "only once")
		assert.True(t, first())
		synctest.Wait()
		assert.Empty(t, ran)
		assert.NoError(t, l.Err())

		done := l.Done()
		l.Cancel()
		l.Cancel()
		<-done
		<-l.Done()
		<-child.Done()
		synctest.Wait()
		assert.ErrorIs(t, l.Err(), context.Canceled)
		assert.Equal(t, []string{"third"}, ran)
		assert.False(t, third(), "it has run")

		late := l.AfterFunc(note("late"))
		synctest.Wait()
		assert.Equal(t, []string{"third", "late"}, ran)
		assert.False(t, late())
	})
}

func TestLifeThatHasEndedIsDone(t *testing.T) {
	var l Life
	l.Cancel()
	<-l.Done()
}
