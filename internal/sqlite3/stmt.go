package sqlite3

import (
	"fmt"
	"strings"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Stmt is a prepared statement. Its use is Bind, Step until there are no more rows or
// enough, and Reset; then it can be used again.
type Stmt struct {
	c      *Conn
	p      uintptr
	params int
	row    []Value
	active bool // between the first Step and Reset

	// The bytes of texts and blobs are copied into one buffer that the statement keeps.
	// SQLite reads them until Reset. Parameters still point there afterwards, but SQLite
	// does not look before all are bound anew. Unbinding them would make it plan some
	// statements again each time.
	buffer uintptr
	size   int
}

// keptBuffer is the size from which on a buffer is freed after each use.
const keptBuffer = 128 << 10

// Prepare compiles a text that holds one statement, which is meant to be kept.
func (c *Conn) Prepare(text string) (*Stmt, error) {
	p, err := cstring(c.tls, text)
	if err != nil {
		return nil, err
	}
	defer free(c.tls, p)
	s, rest, err := c.compile(p, 0)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errNone
	}
	if err := c.empty(rest); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// empty returns an error if there is a statement in the text at p.
func (c *Conn) empty(p uintptr) error {
	for *(*byte)(at(p)) != 0 {
		if strings.TrimSpace(libc.GoString(p)) == "" {
			return nil
		}
		s, rest, err := c.compile(p, 0)
		if s != nil {
			s.Close()
		}
		if s != nil || err != nil {
			return errMany
		}
		p = rest
	}
	return nil
}

// compile compiles the first statement of the text at p. It returns nil if there is only
// space and comment, and where the rest of the text begins.
func (c *Conn) compile(p uintptr, flags uint32) (s *Stmt, rest uintptr, err error) {
	out := c.tls.Alloc(2 * pointerSize)
	defer c.tls.Free(2 * pointerSize)
	code := lib.Xsqlite3_prepare_v3(c.tls, c.db, p, -1, flags, out, out+uintptr(pointerSize))
	c.raise()
	if code != lib.SQLITE_OK {
		return nil, p, c.fail(code)
	}
	rest = pointerAt(out + uintptr(pointerSize))
	if p = pointerAt(out); p == 0 {
		return nil, rest, nil
	}
	return &Stmt{c: c, p: p, params: int(lib.Xsqlite3_bind_parameter_count(c.tls, p))}, rest, nil
}

// Columns returns the names of the columns.
func (s *Stmt) Columns() []string {
	names := make([]string, lib.Xsqlite3_column_count(s.c.tls, s.p))
	for i := range names {
		names[i] = libc.GoString(lib.Xsqlite3_column_name(s.c.tls, s.p, int32(i)))
	}
	return names
}

// Bind gives the statement its arguments, one for each parameter, in order. It must not be
// running. The bytes of the arguments are copied. After an error, the statement must not
// be run before a Bind that succeeds.
func (s *Stmt) Bind(args []any) error {
	if s.active {
		return errActive
	}
	if len(args) < s.params {
		return fmt.Errorf("missing argument with index %d", len(args)+1)
	}
	args = args[:s.params]
	if err := s.reserve(args); err != nil {
		return err
	}
	next := s.buffer
	for i, arg := range args {
		code, n := s.bind(int32(i+1), next, arg)
		if code != lib.SQLITE_OK {
			err := s.c.fail(code)
			s.trim()
			return err
		}
		next += uintptr(n)
	}
	return nil
}

// bind binds an argument, whose bytes it copies to p, and returns their number.
func (s *Stmt) bind(i int32, p uintptr, arg any) (code int32, n int) {
	tls := s.c.tls
	switch v := arg.(type) {
	case int64:
		code = lib.Xsqlite3_bind_int64(tls, s.p, i, v)
	case string:
		n = len(v)
		copy(bytesAt(p, n), v)
		code = lib.Xsqlite3_bind_text64(tls, s.p, i, s.address(p), uint64(n), lib.SQLITE_STATIC, lib.SQLITE_UTF8)
	case []byte:
		if v == nil {
			return lib.Xsqlite3_bind_null(tls, s.p, i), 0
		}
		n = len(v)
		copy(bytesAt(p, n), v)
		code = lib.Xsqlite3_bind_blob64(tls, s.p, i, s.address(p), uint64(n), lib.SQLITE_STATIC)
	case float64:
		code = lib.Xsqlite3_bind_double(tls, s.p, i, v)
	case bool:
		code = lib.Xsqlite3_bind_int64(tls, s.p, i, bit(v))
	case nil:
		code = lib.Xsqlite3_bind_null(tls, s.p, i)
	}
	return code, n
}

// address returns p, or the address of anything if there is no buffer: SQLite takes 0 for
// NULL, also if no bytes follow.
func (s *Stmt) address(p uintptr) uintptr {
	if p == 0 {
		return s.c.main
	}
	return p
}

// reserve makes the buffer large enough for args, and refuses those that cannot be bound.
func (s *Stmt) reserve(args []any) error {
	need := 0
	for _, arg := range args {
		n := 0
		switch v := arg.(type) {
		case string:
			n = len(v)
		case []byte:
			n = len(v)
		case nil, bool, int64, float64:
		default:
			return fmt.Errorf("sqlite3: an argument of type %T", arg)
		}
		if n > s.c.limit {
			return s.c.fail(lib.SQLITE_TOOBIG)
		}
		need += n
	}
	if need <= s.size {
		return nil
	}
	s.unbind()
	const unit = 256
	size := (need + unit - 1) / unit * unit
	buffer, err := malloc(s.c.tls, size)
	if err != nil {
		return err
	}
	s.buffer, s.size = buffer, size
	return nil
}

// unbind frees the buffer, with no parameter left that points to it.
func (s *Stmt) unbind() {
	if s.buffer == 0 {
		return
	}
	for i := range s.params {
		lib.Xsqlite3_bind_null(s.c.tls, s.p, int32(i+1))
	}
	free(s.c.tls, s.buffer)
	s.buffer, s.size = 0, 0
}

// trim frees a large buffer.
func (s *Stmt) trim() {
	if s.size > keptBuffer {
		s.unbind()
	}
}

// Step goes to the next row, and reports false if there is none. After an error, the
// statement must be reset.
func (s *Stmt) Step() (bool, error) {
	c := s.c
	first := !s.active
	s.active = true
	code := lib.Xsqlite3_step(c.tls, s.p)
	if c.panicked != nil {
		s.Reset() // which continues the panic
	}
	switch code {
	case lib.SQLITE_DONE:
		return false, nil
	case lib.SQLITE_ROW:
	default:
		return false, c.fail(code)
	}
	if first {
		s.resize(int(lib.Xsqlite3_column_count(c.tls, s.p)))
	}
	for i := range s.row {
		if !s.row[i].load(c.tls, lib.Xsqlite3_column_value(c.tls, s.p, int32(i)), true) {
			return false, noMemory()
		}
	}
	return true, nil
}

// runOnce runs the statement to its end and closes it, even if a callback panics.
func (s *Stmt) runOnce() (err error) {
	defer func() {
		if e := s.Close(); err == nil {
			err = e
		}
	}()
	for more := true; more && err == nil; {
		more, err = s.Step()
	}
	return err
}

// resize makes room for the columns, whose number can change with the schema.
func (s *Stmt) resize(columns int) {
	if columns != len(s.row) {
		s.row = make([]Value, columns)
	}
}

// Row returns the row that Step found. It is valid until the next Step or Reset.
func (s *Stmt) Row() []Value { return s.row }

// Reset ends the run of the statement. It returns the error of the last Step again, or
// that of ending a run before its last row.
func (s *Stmt) Reset() error {
	if !s.active {
		return nil
	}
	var err error
	if code := lib.Xsqlite3_reset(s.c.tls, s.p); code != lib.SQLITE_OK {
		err = s.c.fail(code)
	}
	s.active = false
	s.trim()
	s.c.raise() // the end of a run can commit
	return err
}

// Close frees the statement. Further calls do nothing.
func (s *Stmt) Close() (err error) {
	if s.p == 0 {
		return nil
	}
	code := lib.Xsqlite3_finalize(s.c.tls, s.p)
	if code != lib.SQLITE_OK {
		err = s.c.fail(code)
	}
	free(s.c.tls, s.buffer)
	s.p, s.buffer, s.size, s.params, s.active = 0, 0, 0, 0, false
	s.c.raise()
	return err
}
