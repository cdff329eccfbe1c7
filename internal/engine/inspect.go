package engine

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite/internal/sqlite3"
)

// StatementError is a statement of a user that SQLite refuses, or that would do or read
// what [Inspect] does not allow.
type StatementError struct{ message string }

func (e *StatementError) Error() string { return e.message }

// Inspect runs one statement of a user, which reads from a view of the file at path, and
// gives its columns to begin and each row to each. The file must be one of ours.
//
// It has a connection of its own that cannot write. The statement can read the view and
// what that is made of, and nothing else: no other table, no pragma, and no function that
// loads code. When ctx ends, the statement is interrupted; but only until it gives its
// first row, and then between two rows. So a caller in a hurry does not wait for it; each
// is not called after the end of ctx.
func Inspect(ctx context.Context, path, view, statement string, begin func(columns []string) error, each func(Row) error) error {
	if !isOne(statement) || strings.Contains(statement, "\x00") {
		return &StatementError{"one statement expected"}
	}
	c, err := connectToInspect(path)
	if err != nil {
		return err
	}
	defer c.close()
	w, err := newWarden(c, view)
	if err != nil {
		return err
	}
	if err := c.raw.Authorize(w.allows); err != nil {
		return err
	}
	s, err := c.raw.Prepare(statement)
	if err != nil {
		return w.refusal(err)
	}
	defer s.Close()
	if err := s.Bind(nil); err != nil {
		return w.refusal(err)
	}
	more, err := c.begin(ctx, s)
	if err != nil {
		return w.refusal(err)
	}
	if err := begin(s.Columns()); err != nil {
		return err
	}
	for more {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := each(s.Row()); err != nil {
			return err
		}
		if more, err = s.Step(); err != nil {
			return classify(err)
		}
	}
	return ctx.Err()
}

// connectToInspect opens a connection that cannot write.
func connectToInspect(path string) (*Conn, error) {
	loc, _, err := locate(path, true)
	if err != nil {
		return nil, err
	}
	open := func(parameters string) (*Conn, error) {
		c, err := connect(loc.uri + "?" + parameters)
		if err != nil {
			return nil, err
		}
		_, err = c.integer("schema_version") // reads the file
		if err != nil {
			c.close()
			return nil, err
		}
		return c, nil
	}
	c, err := open("mode=ro")
	if code := primaryCode(err); (code == codeCantOpen || code == codeReadOnly) && unwritableMedia(loc.file) {
		return open("mode=ro&immutable=1")
	}
	return c, err
}

// warden decides what a statement may do, while SQLite compiles it.
//
// SQLite says for which view a column is read by a name alone, which may also be that of
// a common table in the statement. So the statement gets a view of the same columns, made
// of one whose name nobody knows.
type warden struct {
	view   string          // what the statement reads
	hidden string          // what that is made of
	tables map[string]bool // those of the file, by their names in lower case
	denied string          // what the statement must not do
}

// newWarden makes the connection ready for a statement.
func newWarden(c *Conn, view string) (*warden, error) {
	w := &warden{view: view, hidden: "view_" + rand.Text(), tables: map[string]bool{}}
	body := ""
	err := c.Query("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view')", nil, func(r Row) error {
		w.tables[strings.ToLower(r.Text(0))] = true
		if r.Text(0) == view {
			_, body, _ = strings.Cut(r.Text(1), " AS\n")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if body == "" {
		return nil, fmt.Errorf("%w: it has no view %q", ErrCorrupt, view)
	}
	if err := c.script(fmt.Sprintf("CREATE TEMP VIEW %s AS %s; CREATE TEMP VIEW %s AS SELECT * FROM %[1]s", w.hidden, body, view)); err != nil {
		return nil, err
	}
	return w, configure(c, readerPragmas(Config{}))
}

// functionsOfTables are the virtual tables that are only functions of their arguments.
var functionsOfTables = map[string]bool{"json_each": true, "json_tree": true}

// reads reports whether a statement may read a column of a table for a view. A read of
// no column is one of rows, also of those of a common table.
func (w *warden) reads(table, column, view string) bool {
	table = strings.ToLower(table)
	switch {
	case view == w.hidden, table == w.view, table == strings.ToLower(w.hidden) && view == w.view, functionsOfTables[table]:
		return true
	case column != "", w.tables[table], table == "dbstat":
		return false
	}
	return !strings.HasPrefix(table, "sqlite_") && !strings.HasPrefix(table, "pragma_")
}

func (w *warden) allows(a sqlite3.Access) bool {
	switch a.Action {
	case sqlite3.Select, sqlite3.Recursive:
		return true
	case sqlite3.Read:
		return w.reads(a.First, a.Second, a.Within) ||
			w.deny(fmt.Sprintf("it reads %q, and only %q can be read", a.First, w.view))
	case sqlite3.Call:
		// Ours expect to be called by our statements.
		name := strings.ToLower(a.Second)
		return name != "load_extension" && !strings.HasPrefix(name, "bucketlite_") ||
			w.deny(fmt.Sprintf("it calls %s", a.Second))
	}
	return w.deny("it is not a SELECT")
}

// deny notes what the statement must not do, and returns false.
func (w *warden) deny(what string) bool {
	if w.denied == "" {
		w.denied = what
	}
	return false
}

// refusal returns the error for a statement that did not begin.
func (w *warden) refusal(err error) error {
	var e *sqlite3.Error
	switch {
	case w.denied != "":
		return &StatementError{"the statement is not allowed: " + w.denied}
	case errors.As(err, &e) && primaryCode(err) == codeError:
		what := cmp.Or(e.Detail, e.Meaning)
		if strings.HasPrefix(what, "no such table: ") {
			what = fmt.Sprintf("%s; only %q can be read", what, w.view)
		}
		return &StatementError{what}
	}
	return classify(err)
}

// isOne reports whether a text has one statement, by what SQLite takes for the end of one.
func isOne(text string) bool {
	found, ended := false, false
	for i := 0; i < len(text); {
		n := skipped(text[i:])
		switch {
		case n > 0 && (strings.HasPrefix(text[i:], "--") || strings.HasPrefix(text[i:], "/*")):
		case text[i] == ';':
			n, ended = 1, found
		case strings.IndexByte(" \t\r\n\f", text[i]) >= 0:
			n = 1
		default:
			if found = true; ended {
				return false
			}
			n = max(n, 1)
		}
		i += n
	}
	return found
}

// skipped returns the length of the comment, text or quoted name that s begins with, 0 if
// it begins with none.
func skipped(s string) int {
	begin, end := s[:1], s[:1]
	switch {
	case strings.HasPrefix(s, "--"):
		begin, end = "--", "\n"
	case strings.HasPrefix(s, "/*"):
		begin, end = "/*", "*/"
	case s[0] == '[':
		end = "]"
	case strings.IndexByte("'\"`", s[0]) < 0:
		return 0
	}
	if i := strings.Index(s[len(begin):], end); i >= 0 {
		return len(begin) + i + len(end)
	}
	return len(s)
}
