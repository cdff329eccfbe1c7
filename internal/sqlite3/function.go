package sqlite3

import (
	"fmt"
	"sync"
	"sync/atomic"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Function is a Go function that SQL can call on the connections it is defined on.
type Function struct {
	name  string
	args  int
	call  func(args []Value) (any, error)
	index uintptr // among functions
}

// functions holds all functions. SQLite hands over an index, since it cannot keep a
// pointer of Go's alive.
var (
	functions   atomic.Pointer[[]*Function]
	functionsMu sync.Mutex // held while the list is replaced
)

// NewFunction returns a function with a number of arguments; -1 allows any. Programs make
// their functions once: each is kept for the whole process.
//
// The bytes of the values in args, and args itself, end with the call. The result is by the
// rules for arguments. If call fails, so does the statement, with the error's text. For the
// same arguments it must return the same within a statement.
func NewFunction(name string, args int, call func(args []Value) (any, error)) *Function {
	functionsMu.Lock()
	defer functionsMu.Unlock()
	var list []*Function
	if old := functions.Load(); old != nil {
		list = append(list, *old...)
	}
	f := &Function{name: name, args: args, call: call, index: uintptr(len(list))}
	list = append(list, f)
	functions.Store(&list)
	return f
}

// Define lets the connection's statements call f by its name.
func (c *Conn) Define(f *Function) error {
	name, err := cstring(c.tls, f.name)
	if err != nil {
		return err
	}
	defer free(c.tls, name)
	code := lib.Xsqlite3_create_function_v2(c.tls, c.db, name, int32(f.args), lib.SQLITE_UTF8|lib.SQLITE_DETERMINISTIC,
		f.index, function(callFunction), 0, 0, 0)
	if code != lib.SQLITE_OK {
		return c.fail(code)
	}
	return nil
}

// arguments are lists of values, each for one call at a time. Calls can nest.
var arguments = sync.Pool{New: func() any { return new([]Value) }}

// callFunction is what SQLite calls.
func callFunction(tls *libc.TLS, ctx uintptr, n int32, values uintptr) {
	args := arguments.Get().(*[]Value)
	defer func() {
		if v := recover(); v != nil {
			keep(lib.Xsqlite3_context_db_handle(tls, ctx), v)
			resultError(tls, ctx, "panic")
		}
		arguments.Put(args)
	}()
	*args = (*args)[:0]
	for i := range uintptr(n) {
		var v Value
		if !v.load(tls, pointerAt(values+i*uintptr(pointerSize)), false) {
			lib.Xsqlite3_result_error_nomem(tls, ctx)
			return
		}
		*args = append(*args, v)
	}
	f := (*functions.Load())[lib.Xsqlite3_user_data(tls, ctx)]
	v, err := f.call(*args)
	if err != nil {
		resultError(tls, ctx, err.Error())
		return
	}
	result(tls, ctx, v)
}

// result sets the value of a call.
func result(tls *libc.TLS, ctx uintptr, v any) {
	switch v := v.(type) {
	case nil:
		lib.Xsqlite3_result_null(tls, ctx)
	case bool:
		lib.Xsqlite3_result_int64(tls, ctx, bit(v))
	case int64:
		lib.Xsqlite3_result_int64(tls, ctx, v)
	case float64:
		lib.Xsqlite3_result_double(tls, ctx, v)
	case string, []byte:
		resultBytes(tls, ctx, ValueOf(v))
	default:
		resultError(tls, ctx, fmt.Sprintf("a result of type %T", v))
	}
}

// resultBytes sets the value of a call to a text or blob, or to NULL for a nil []byte.
func resultBytes(tls *libc.TLS, ctx uintptr, v Value) {
	if v.kind == Null {
		lib.Xsqlite3_result_null(tls, ctx)
		return
	}
	p := given(tls, v.data)
	switch {
	case p == 0:
		lib.Xsqlite3_result_error_nomem(tls, ctx)
	case v.kind == Text:
		lib.Xsqlite3_result_text64(tls, ctx, p, uint64(len(v.data)), function(lib.Xsqlite3_free), lib.SQLITE_UTF8)
	default:
		lib.Xsqlite3_result_blob64(tls, ctx, p, uint64(len(v.data)), function(lib.Xsqlite3_free))
	}
}

// resultError makes a call fail with a text.
func resultError(tls *libc.TLS, ctx uintptr, text string) {
	if p := given(tls, text); p != 0 {
		lib.Xsqlite3_result_error(tls, ctx, p, int32(len(text)))
		lib.Xsqlite3_free(tls, p)
		return
	}
	lib.Xsqlite3_result_error_nomem(tls, ctx)
}
