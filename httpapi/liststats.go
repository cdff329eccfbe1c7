package httpapi

import (
	"encoding/json"
	"sync"
	"time"
)

const (
	// sumsKept is for how long the statistics of a list are kept for its next pages.
	sumsKept = time.Minute
	// maxSums bounds how many are kept, and maxSumKey how long a query may be.
	maxSums   = 256
	maxSumKey = 4096
)

// Sums are the statistics of lists that are being paged through. To sum up a list
// means to read all of it, which for a million objects takes a second, and a page a
// thousandth of that; done anew for each of their ten thousand pages it would take
// hours. So a page that a cursor leads to has the statistics that an earlier page of
// the same list had within the last minute, if there is one. A first page always has
// new ones.
type sums struct {
	mu   sync.Mutex
	kept map[string]sum
}

type sum struct {
	stats any
	until time.Time
}

// statsOf returns the statistics of a list of what owner has, which compute computes, or nil
// if the request is for none.
func statsOf[S any](q listRequest, owner string, compute func() (*S, error)) (*S, error) {
	if q.noStats {
		return nil, nil
	}
	s := &q.call.h.sums
	key := q.sumKey(owner)
	if q.Cursor != "" && key != "" {
		if stats, ok := s.find(key).(*S); ok {
			return stats, nil
		}
	}
	stats, err := compute()
	if err == nil && key != "" {
		s.keep(key, stats)
	}
	return stats, err
}

// sumKey tells lists apart whose statistics may differ; "" if it would be too long.
func (q listRequest) sumKey(owner string) string {
	filter, err := json.Marshal(q.Filter)
	if err != nil || len(filter)+len(q.Search) > maxSumKey {
		return ""
	}
	key, err := json.Marshal([]any{owner, json.RawMessage(filter), q.Search, q.CaseSensitive})
	if err != nil {
		return ""
	}
	return string(key)
}

// find returns the statistics that are kept, nil if there are none.
func (s *sums) find(key string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.kept[key]; time.Now().Before(found.until) {
		return found.stats
	}
	return nil
}

func (s *sums) keep(key string, stats any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if len(s.kept) >= maxSums {
		for key, old := range s.kept {
			if !now.Before(old.until) {
				delete(s.kept, key)
			}
		}
		if len(s.kept) >= maxSums {
			clear(s.kept)
		}
	}
	if s.kept == nil {
		s.kept = make(map[string]sum)
	}
	s.kept[key] = sum{stats, now.Add(sumsKept)}
}
