package proxy

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"cacheproxy/policy"
)

// Whatever setting a rule changes, a trace tells it.
func TestEverySettingIsTold(t *testing.T) {
	base := Settings{Rules: policy.DefaultRules()}
	partner := map[string]func(*Settings){"TTL": func(s *Settings) { s.HasTTL = true }} // what counts only with another one
	var walk func(at []int, typ reflect.Type)
	walk = func(at []int, typ reflect.Type) {
		for i := range typ.NumField() {
			f, path := typ.Field(i), append(append([]int{}, at...), i)
			if f.Type.Kind() == reflect.Struct {
				walk(path, f.Type)
				continue
			}
			before := base
			if with := partner[f.Name]; with != nil {
				with(&before)
			}
			now := before
			alter(reflect.ValueOf(&now).Elem().FieldByIndex(path))
			if f.Name == "HasTTL" {
				now.TTL = time.Minute
			}
			assert.NotEqual(t, changes(&before, &before), changes(&before, &now), "%s has no row in settingRows", f.Name)
		}
	}
	walk(nil, reflect.TypeFor[Settings]())
}

// alter gives a setting another value.
func alter(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *bool:
		*x = !*x
	case *time.Duration:
		*x += time.Minute
	case *float64:
		*x++
	case *policy.CookieRule:
		*x = policy.KeepCookie
	case *policy.StatusTable:
		x[299] = policy.Explicit
	case *map[int]time.Duration:
		*x = map[int]time.Duration{404: time.Minute}
	case *[]string:
		*x = append([]string{"X-New"}, *x...)
	case *[]policy.TagField:
		*x = []policy.TagField{{Name: "X-New", Separators: ","}}
	case *[]policy.Glob:
		*x = []policy.Glob{"new*"}
	default:
		if v.Kind() == reflect.Map { // of a header
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("X-New"), reflect.ValueOf([]string{"x"}))
			return
		}
		panic("alter knows no " + v.Type().String())
	}
}
