package policy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dunglas/httpsfv"
)

// TagField is a response field that names tags, by which stored responses are
// purged together.
type TagField struct {
	Name       string // canonical
	Separators string // the bytes that stand between tags, beside line ends
}

// DefaultTagFields are the fields in use: of Cloudflare and Google, Fastly, Akamai,
// bunny.net and Varnish.
func DefaultTagFields() []TagField {
	return []TagField{
		{"Cache-Tag", ","}, {"Surrogate-Key", " \t"}, {"Edge-Cache-Tag", ","}, {"Cdn-Tag", ","}, {"Xkey", " \t,"},
	}
}

// Bounds on the tags and groups of one response. RFC 9875, 2 asks for at least 32
// groups of 32 characters.
const (
	MostTags     = 256
	MostTagBytes = 16 << 10
)

// groupMark begins the line of a group in [Stored.Tags]. No tag begins with white
// space.
const groupMark = "\t"

// EachTag calls fn with every tag and group of a response, until fn returns false.
// It allocates nothing.
func (s *Stored) EachTag(fn func(name string, isGroup bool) bool) {
	for rest := s.Tags; rest != ""; {
		line, after, _ := strings.Cut(rest, "\n")
		name, isGroup := strings.CutPrefix(line, groupMark)
		if !fn(name, isGroup) {
			return
		}
		rest = after
	}
}

// SplitTags returns the tags in the lines of a field.
func (f TagField) SplitTags(lines []string) (tags []string) {
	for _, line := range lines {
		for line != "" {
			end := strings.IndexAny(line, f.Separators)
			if end < 0 {
				end = len(line)
			}
			if tag := trim(line[:end]); tag != "" {
				tags = append(tags, tag)
			}
			line = line[min(end+1, len(line)):]
		}
	}
	return tags
}

// packTags returns the tags and groups of a response in the form of [Stored.Tags].
// ok is false when they are more than are kept: a purge could then miss it.
func packTags(f Fields, r *Rules) (packed string, ok bool) {
	var all []string
	for _, field := range r.TagFields {
		if lines := values(f, field.Name); len(lines) > 0 {
			all = append(all, field.SplitTags(lines)...)
		}
	}
	for _, group := range groups(values(f, "Cache-Groups")) {
		all = append(all, groupMark+group)
	}
	return joinTags(all)
}

func joinTags(all []string) (packed string, ok bool) {
	if len(all) == 0 {
		return "", true
	}
	slices.Sort(all)
	all = slices.Compact(all)
	packed = strings.Join(all, "\n")
	return packed, len(all) <= MostTags && len(packed) <= MostTagBytes
}

// groups returns the members of Cache-Groups or Cache-Group-Invalidation: a list of
// strings, whose parameters mean nothing (RFC 9875, 2 and 3). What is anything else
// is no such field.
func groups(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	list, err := httpsfv.UnmarshalList(lines)
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(list))
	for _, member := range list {
		item, _ := member.(httpsfv.Item)
		name, isString := item.Value.(string)
		if !isString {
			return nil
		}
		names = append(names, name)
	}
	return names
}

// InvalidatedGroups returns the groups of the target's origin that an answer makes
// invalid. With a safe method it makes none invalid, whatever it says (RFC 9875, 3).
// The status does not matter: the origin says it in so many words.
func InvalidatedGroups(method string, f Fields) []string {
	if safe[method] {
		return nil
	}
	return groups(values(f, "Cache-Group-Invalidation"))
}

// InheritTags leaves a response that was confirmed the tags it had, unless the
// confirmation brings others. Groups are those of the updated fields, which have them.
func (s *Stored) InheritTags(old *Stored, newer Fields, r *Rules) {
	for _, field := range r.TagFields {
		if len(values(newer, field.Name)) > 0 {
			return
		}
	}
	s.uniteTags(old, func(isGroup bool) bool { return !isGroup })
}

// UniteTags gives a response the tags and groups of another one too, with which it
// was joined.
func (s *Stored) UniteTags(o *Stored) { s.uniteTags(o, func(bool) bool { return true }) }

func (s *Stored) uniteTags(o *Stored, takes func(isGroup bool) bool) {
	if s.Tags == o.Tags {
		return
	}
	all := strings.Split(s.Tags, "\n")
	if s.Tags == "" {
		all = nil
	}
	o.EachTag(func(name string, isGroup bool) bool {
		if takes(isGroup) {
			if isGroup {
				name = groupMark + name
			}
			all = append(all, name)
		}
		return true
	})
	s.Tags, _ = joinTags(all) // both are within the bounds
}

// RemoveTags removes the fields that name tags, unless the rules keep them.
func RemoveTags(h http.Header, r *Rules) {
	if r.KeepTags {
		return
	}
	for _, field := range r.TagFields {
		delete(h, field.Name)
	}
}
