package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const maxFileBytes = 1 << 20

// Load reads the file at path over the defaults. The error names the file, the
// line and the key of every problem; it wraps fs.ErrNotExist for a missing file.
// The result still has to pass Validate, after environment and flags.
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data)
}

// Parse is Load for data at hand; name stands for the file in errors. Unknown
// and repeated keys, wrong types and wrong units are errors.
func Parse(name string, data []byte) (Config, error) {
	c := Default()
	c.src = source{file: name, lines: map[string]int{}}
	p := &problems{src: c.src}
	root, err := parseRoot(p, data)
	if err != nil {
		return Config{}, err
	}
	if root != nil {
		(&decoder{p}).value("", root, reflect.ValueOf(&c).Elem())
	}
	if err := p.err(); err != nil {
		return Config{}, err
	}
	c.fitMaxObject()
	return c, nil
}

// parseRoot returns the body of the only document; nil when the file is empty.
func parseRoot(p *problems, data []byte) (ast.Node, error) {
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%s: larger than %s; is this the right file?", p.src.file, Size(maxFileBytes))
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: not valid UTF-8; save the file as UTF-8 text", p.src.file)
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			hint := "; check indentation and quotes"
			if bytes.Contains(data, []byte("\t")) {
				hint = "; indent with spaces, not tabs"
			}
			return nil, fmt.Errorf("%s:%d: not valid YAML: %s%s", p.src.file, syntax.Token.Position.Line, strings.ReplaceAll(syntax.Message, "\t", `\t`), hint)
		}
		return nil, fmt.Errorf("%s: not valid YAML: %w", p.src.file, err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil, *ast.DirectiveNode, *ast.CommentGroupNode:
			continue
		}
		if root != nil {
			p.addAt(lineOf(doc.Body), "second document; write everything into one, without a --- line")
			break
		}
		root = doc.Body
	}
	return root, nil
}

// lineOf is 0 when the parser kept no position.
func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}
