package load

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l life
		var called []string
		stop := l.AfterFunc(func() { called = append(called, "stopped") })
		late := l.AfterFunc(func() { called = append(called, "first") })
		child, cancel := context.WithCancel(&l)
		defer cancel()
		assert.True(t, stop())
		assert.False(t, stop(), "once")
		assert.NoError(t, l.Err())
		done := l.Done()
		l.end()
		l.end()
		synctest.Wait()
		assert.Equal(t, []string{"first"}, called)
		assert.False(t, late())
		assert.ErrorIs(t, l.Err(), context.Canceled)
		<-done
		<-child.Done()
		over := l.AfterFunc(func() { called = append(called, "too late") })
		synctest.Wait()
		assert.Equal(t, []string{"first", "too late"}, called)
		assert.False(t, over())
	})
}

func TestDoneAfterTheEnd(t *testing.T) {
	var l life
	l.end()
	<-l.Done()
}
