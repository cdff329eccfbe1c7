package pattern

import (
	"container/list"
	"sync"
)

// A Lazy is an expression that is compiled when it is first matched. The compiled
// form is kept in a cache that the whole process shares, until others push it out.
type Lazy string

// An Allowance is the work that some matches may do together, [MaxWork] at first.
// It serves one goroutine at a time.
type Allowance struct{ spent int64 }

// Match reports whether s contains a match, if the rest of the allowance
// permits it. The error is a [*WorkError] if it does not, or says why the
// expression cannot be compiled.
func (l Lazy) Match(s string, a *Allowance) (bool, error) {
	p, err := compiled.pattern(string(l))
	if err != nil {
		return false, err
	}
	work := p.work(s)
	if a.spent+work > MaxWork {
		return false, &WorkError{Size: p.size, Bytes: len(s), Shared: a.spent > 0}
	}
	a.spent += work
	return p.re.MatchString(s), nil
}

// maxCached bounds the instructions of all patterns in the cache, which take about
// 50 bytes each.
const maxCached = 4 * MaxSize

var compiled = cache{entries: make(map[string]*list.Element)}

// A cache keeps the patterns that were used last.
type cache struct {
	mu      sync.Mutex
	entries map[string]*list.Element // of order
	order   list.List                // of *Pattern, the one used last in front
	size    int
}

// pattern returns the compiled form of an expression.
func (c *cache) pattern(expr string) (*Pattern, error) {
	if p := c.find(expr); p != nil {
		return p, nil
	}
	// Not under the lock, since it may take long.
	p, err := Compile(expr, false, new(Budget))
	if err != nil {
		return nil, err
	}
	c.keep(p)
	return p, nil
}

func (c *cache) find(expr string) *Pattern {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[expr]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*Pattern)
}

func (c *cache) keep(p *Pattern) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[p.String()] != nil { // another goroutine was faster
		return
	}
	c.entries[p.String()] = c.order.PushFront(p)
	c.size += p.weight()
	for c.size > maxCached {
		last := c.order.Back()
		p := c.order.Remove(last).(*Pattern)
		delete(c.entries, p.String())
		c.size -= p.weight()
	}
}

// weight returns the weight of a pattern in the cache: besides its instructions, its
// text and what each has.
func (p *Pattern) weight() int { return p.size + len(p.String())/16 + 50 }
