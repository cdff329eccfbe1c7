package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/bom"
)

// maxDocument bounds a file that is read as a whole, a schema or a request.
const maxDocument = 16 << 20

// open opens a file of input; "-" is standard input, which is not closed.
func (a *app) openInput(ctx context.Context, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(newPatientReader(ctx, a.in)), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, usagef("%q is a directory", name)
	}
	return f, nil
}

// readFile reads a file of at most so many bytes.
func (a *app) readFile(ctx context.Context, name string, most int64) ([]byte, error) {
	f, err := a.openInput(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = &located{name, fmt.Errorf("%w: at most %v are read", bucketlite.ErrTooLarge, size(most))}
	}
	return text, err
}

// readText is readFile for a text, which may begin with a byte order mark.
func (a *app) readText(ctx context.Context, name string) ([]byte, error) {
	text, err := a.readFile(ctx, name, maxDocument)
	if err != nil {
		return nil, err
	}
	if text, err = bom.Text(text); err != nil {
		return nil, &located{name, fmt.Errorf("%w: %w", bucketlite.ErrInvalid, err)}
	}
	return text, nil
}

// object reads a JSON object out of a flag; nil if there is none.
func object(flag, text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	v, err := jsonValue(text)
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, usagef("%s: a JSON object expected", flag)
	}
	return o, nil
}

// jsonValue reads one JSON value, with its numbers as they are written.
func jsonValue(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("JSON expected: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("one JSON value expected")
	}
	return v, nil
}

// fieldValues reads fields given as name=value. A value is text where the schema
// declares some kind of text or nothing, else JSON: 5, true, ["a","b"].
func fieldValues(flag string, schema bucketlite.Schema, pairs []string) (map[string]any, error) {
	fields := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usagef("%s: name=value expected, got %q", flag, pair)
		}
		if _, ok := fields[name]; ok {
			return nil, usagef("%s: %q is given twice", flag, name)
		}
		switch schema.Properties[name].Type {
		case "", bucketlite.String, bucketlite.Date, bucketlite.DateTime, bucketlite.Text:
			fields[name] = text
		default:
			v, err := jsonValue(text)
			if err != nil {
				return nil, usagef("%s: %s: %w", flag, name, err)
			}
			fields[name] = v
		}
	}
	return fields, nil
}

// schema returns the schema of a bucket.
func schemaOf(ctx context.Context, b *bucketlite.Bucket) (bucketlite.Schema, error) {
	info, err := b.Info(ctx)
	if err != nil {
		return bucketlite.Schema{}, err
	}
	return info.Schema, nil
}

// compact returns the JSON form of v without line breaks, as export writes it.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
