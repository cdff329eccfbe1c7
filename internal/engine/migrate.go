package engine

import (
	"context"
	"fmt"
	"strconv"
)

// initialise makes an empty file ours. It asks SQLite whether the file is empty,
// because SQLite undoes an interrupted creation only when it first reads the file.
// Id and schema are one transaction with a rollback journal, so that the file is
// empty or whole at every moment, without a log. The read lock that the first
// question takes keeps its answer true; if it cannot become the write lock, the
// transaction begins anew.
func initialise(ctx context.Context, c *Conn, loc location, cfg Config) error {
	return patiently(ctx, cfg.BusyTimeout, func() error {
		return transaction(c, "BEGIN", func() error {
			pages, err := c.integer("page_count")
			if err != nil {
				return err
			}
			if pages > 0 {
				return checkIdentity(c, loc, cfg)
			}
			if err := c.script(fmt.Sprintf("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d", cfg.ApplicationID)); err != nil {
				return err
			}
			return create(c, cfg)
		})
	})
}

// create makes the schema of an empty file.
func create(c *Conn, cfg Config) error {
	if cfg.Newest == "" {
		return migrateFrom(c, 0, cfg)
	}
	if err := c.script(cfg.Newest); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	return setVersion(c, cfg)
}

// migrate applies the migrations the file has not seen.
func migrate(ctx context.Context, c *Conn, loc location, cfg Config) error {
	return patiently(ctx, cfg.BusyTimeout, func() error {
		// Most opens find nothing to do, and then take no lock.
		version, err := c.integer("user_version")
		if err != nil || version == int64(len(cfg.Migrations)) {
			return err
		}
		return transaction(c, "BEGIN IMMEDIATE", func() error {
			if err := checkIdentity(c, loc, cfg); err != nil {
				return err
			}
			version, err := c.integer("user_version") // again, since another process may have been quicker
			if err != nil || version == int64(len(cfg.Migrations)) {
				return err
			}
			return migrateFrom(c, int(version), cfg)
		})
	})
}

// transaction runs f between begin and COMMIT. Whatever fails, the transaction
// is over; even a COMMIT can find the file busy and leave it open.
func transaction(c *Conn, begin string, f func() error) error {
	if err := c.script(begin); err != nil {
		return err
	}
	err := f()
	if err == nil {
		err = c.script("COMMIT")
	}
	if err != nil {
		c.script("ROLLBACK")
	}
	return err
}

// migrateFrom applies the migrations after version. Its caller has begun one
// transaction for all, so that no process finds a file that is half converted.
func migrateFrom(c *Conn, version int, cfg Config) error {
	for i, script := range cfg.Migrations[version:] {
		if err := c.script(script); err != nil {
			return fmt.Errorf("migration %d: %w", version+i+1, err)
		}
	}
	return setVersion(c, cfg)
}

func setVersion(c *Conn, cfg Config) error {
	return c.script("PRAGMA user_version = " + strconv.Itoa(len(cfg.Migrations)))
}
