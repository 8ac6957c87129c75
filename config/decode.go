package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills a struct from the YAML tree. It is stricter than a general one
// (no type is guessed, nothing unknown passes), goes on after a problem, and
// remembers the line of each value for Validate.
type decoder struct {
	p *problems
}

func (d *decoder) value(path string, n ast.Node, v reflect.Value) {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.bad(path, n, "YAML anchors, aliases and tags are not supported; write the value out")
		return
	case nil, *ast.NullNode:
		d.null(path, n, v)
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(path, n, text)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		d.list(path, n, v)
	case reflect.Map:
		d.mapping(path, n, v)
	default:
		d.scalar(path, n, v)
	}
}

// null accepts a block whose entries are all commented out; a key with a single
// value needs that value.
func (d *decoder) null(path string, n ast.Node, v reflect.Value) {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map:
		return
	}
	d.bad(path, n, "has no value; give it one or delete the key")
}

func (d *decoder) structure(path string, n ast.Node, v reflect.Value) {
	fields := fieldsByName(v)
	for _, pair := range d.pairs(path, n) {
		field, ok := fields[pair.key]
		if !ok {
			d.p.addAt(lineOf(pair.node.Key), unknownKey(path, pair.key, v.Type()))
			continue
		}
		d.value(join(path, pair.key), pair.node.Value, field)
	}
}

func (d *decoder) list(path string, n ast.Node, v reflect.Value) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.bad(path, n, "must be a list%s", forExample(path))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		at := path + "[" + strconv.Itoa(i) + "]"
		d.p.src.lines[at] = lineOf(item)
		d.value(at, item, list.Index(i))
	}
	v.Set(list)
}

func (d *decoder) mapping(path string, n ast.Node, v reflect.Value) {
	m := reflect.MakeMap(v.Type())
	for _, pair := range d.pairs(path, n) {
		key := reflect.New(v.Type().Key()).Elem()
		if key.Kind() == reflect.Int {
			status, err := strconv.Atoi(pair.key)
			if err != nil {
				d.bad(path, pair.node.Key, "%q is not a status code%s", pair.key, forExample(path))
				continue
			}
			key.SetInt(int64(status))
		} else {
			key.SetString(pair.key)
		}
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, pair.key), pair.node.Value, value)
		m.SetMapIndex(key, value)
	}
	v.Set(m)
}

type keyValue struct {
	key  string
	node *ast.MappingValueNode
}

// pairs returns the entries of a block and notes their lines. What is no block,
// no plain key, or a repeated key is a problem.
func (d *decoder) pairs(path string, n ast.Node) []keyValue {
	block, ok := n.(*ast.MappingNode)
	if !ok {
		d.bad(path, n, "must be a block of keys and values%s", forExample(path))
		return nil
	}
	var pairs []keyValue
	seen := map[string]int{}
	for _, node := range block.Values {
		key, ok := scalarText(node.Key)
		if !ok {
			d.bad(path, node.Key, "%q cannot be a key here; write key: value", node.Key.String())
			continue
		}
		at := join(path, key)
		line := lineOf(node.Key)
		if first, again := seen[key]; again {
			d.bad(at, node.Key, "written twice, first in line %d; keep one", first)
			continue
		}
		seen[key] = line
		d.p.src.lines[at] = line
		pairs = append(pairs, keyValue{key, node})
	}
	return pairs
}

func (d *decoder) text(path string, n ast.Node, v encoding.TextUnmarshaler) {
	text, ok := scalarText(n)
	if !ok {
		d.bad(path, n, "must be a single value%s", forExample(path))
		return
	}
	if err := v.UnmarshalText([]byte(text)); err != nil {
		d.bad(path, n, "%s", err)
	}
}

func (d *decoder) scalar(path string, n ast.Node, v reflect.Value) {
	text, ok := scalarText(n)
	if !ok {
		d.bad(path, n, "must be a single value%s", forExample(path))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.bad(path, n, "%q is neither true nor false; write one of them, without quotes", text)
			return
		}
		v.SetBool(b.Value)
	case reflect.Int:
		i, err := strconv.ParseInt(text, 10, 32)
		if _, plain := n.(*ast.IntegerNode); err != nil || !plain {
			d.bad(path, n, "%q is not a whole number, or is in quotes%s", text, forExample(path))
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if _, quoted := n.(*ast.StringNode); err != nil || quoted {
			d.bad(path, n, "%q is not a number, or is in quotes%s", text, forExample(path))
			return
		}
		v.SetFloat(f)
	}
}

// scalarText is the text of a single value as it was written, quotes resolved.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NanNode, *ast.InfinityNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// bad reports a problem at the line of n, or of path when n has none.
func (d *decoder) bad(path string, n ast.Node, format string, args ...any) {
	line := lineOf(n)
	if line == 0 {
		line = d.p.src.line(path)
	}
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	d.p.addAt(line, text)
}

func fieldsByName(v reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
			fields[name] = v.Field(i)
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
