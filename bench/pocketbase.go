package main

import (
	"context"
	"errors"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // which bootstrapping runs
)

// pocket is PocketBase as a library: its collections, records and rules without its
// server.
type pocket struct {
	app        *core.BaseApp
	collection *core.Collection
}

const pocketCollection = "records"

func openPocketBase(ctx context.Context, dir string, s settings) (store, error) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: func(name string) (*dbx.DB, error) {
		if !s.durable {
			return core.DefaultDBConnect(name)
		}
		return connectDurable(name)
	}})
	p := &pocket{app: app}
	err := app.Bootstrap()
	if err == nil {
		err = app.RunAllMigrations()
	}
	if err == nil {
		p.collection, err = pocketRecords(app, s)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// connectDurable connects as PocketBase does by default, with another synchronous mode.
func connectDurable(name string) (*dbx.DB, error) {
	return dbx.Open("sqlite", name+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
}

// pocketRecords returns the collection of rows, and creates it if there is none.
func pocketRecords(app core.App, s settings) (*core.Collection, error) {
	if c, err := app.FindCollectionByNameOrId(pocketCollection); err == nil {
		return c, nil
	}
	c := core.NewBaseCollection(pocketCollection)
	anybody := "" // the rule that lets clients without an account create and view records
	c.CreateRule, c.ViewRule, c.ListRule = &anybody, &anybody, &anybody
	c.Fields.Add(
		&core.TextField{Name: "sku", Required: true},
		&core.TextField{Name: "title", Required: true},
		&core.TextField{Name: "body"},
		&core.SelectField{Name: "category", Values: categories, MaxSelect: 1},
		&core.NumberField{Name: "price"},
		&core.NumberField{Name: "stock", OnlyInt: true},
		&core.BoolField{Name: "active"},
		&core.DateField{Name: "released"},
		&core.DateField{Name: "updated_on"},
		&core.TextField{Name: "publisher"},
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
	c.AddIndex("records_sku", true, "sku", "")
	if s.queried {
		c.AddIndex("records_stock", false, "stock", "")
	}
	return c, app.Save(c)
}

// load sets the fields of a record. PocketBase's own member "updated" is the time of the
// last change.
func load(record *core.Record, r *row) {
	for name, v := range r.fields {
		if name == "updated" {
			name = "updated_on"
		}
		record.Set(name, v)
	}
}

func (p *pocket) put(ctx context.Context, app core.App, r *row) error {
	record := core.NewRecord(p.collection)
	load(record, r)
	return app.SaveWithContext(ctx, record)
}

func (p *pocket) Put(ctx context.Context, r *row) error { return p.put(ctx, p.app, r) }

func (p *pocket) PutMany(ctx context.Context, rows []*row) error {
	return p.app.RunInTransaction(func(tx core.App) error {
		for _, r := range rows {
			if err := p.put(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// Upsert finds the record and saves it, since there is no upsert by a unique key.
func (p *pocket) Upsert(ctx context.Context, r *row) error {
	return p.app.RunInTransaction(func(tx core.App) error {
		record, err := tx.FindFirstRecordByData(p.collection, "sku", r.key)
		if err != nil {
			return err
		}
		load(record, r)
		return tx.SaveWithContext(ctx, record)
	})
}

// pocketRow is a record, which has decoded all columns.
type pocketRow struct{ *core.Record }

func (r pocketRow) Key() string { return r.GetString("sku") }

func (r pocketRow) Fields() map[string]any {
	updated := r.GetDateTime("updated_on").Time()
	return map[string]any{
		"sku": r.Key(), "title": r.GetString("title"), "body": r.GetString("body"), "category": r.GetString("category"),
		"price": r.GetFloat("price"), "stock": r.GetInt("stock"), "active": r.GetBool("active"), "publisher": r.GetString("publisher"),
		"released": r.GetDateTime("released").Time().Format("2006-01-02"), "updated": updated.Format("2006-01-02T15:04:05Z07:00"),
	}
}

func (p *pocket) Row(ctx context.Context, key string) (decoded, error) {
	record, err := p.app.FindFirstRecordByData(p.collection, "sku", key)
	if err != nil {
		return nil, err
	}
	return pocketRow{record}, nil
}

func (p *pocket) Page(ctx context.Context, f filter, limit int) ([]decoded, error) {
	records, err := p.app.FindRecordsByFilter(p.collection, pocketFilter(f), "", limit, 0, dbx.Params{"value": f.value})
	if err != nil {
		return nil, err
	}
	rows := make([]decoded, len(records))
	for i, r := range records {
		rows[i] = pocketRow{r}
	}
	return rows, nil
}

func pocketFilter(f filter) string {
	if f.indexed {
		return "stock = {:value}"
	}
	return "price < {:value}"
}

func (p *pocket) CountOf(ctx context.Context, f filter) (int, error) {
	n, err := p.app.CountRecords(p.collection, dbx.NewExp(strings.ReplaceAll(pocketFilter(f), "=", "=="), dbx.Params{"value": f.value}))
	return int(n), err
}

func (p *pocket) Count(ctx context.Context) (int, error) {
	n, err := p.app.CountRecords(p.collection)
	return int(n), err
}

func (p *pocket) Close() error { return p.app.ResetBootstrapState() }
