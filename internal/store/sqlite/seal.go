package sqlite

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// keySize is that of AES-256, in bytes.
const keySize = 32

// LoadOrCreateKey reads the key file at path, 64 hexadecimal digits, or makes
// it. A file that others may read is refused.
func LoadOrCreateKey(path string) ([]byte, error) {
	key, err := loadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, keySize)
	rand.Read(key)
	if err := writeKey(path, key); err != nil {
		return nil, fmt.Errorf("make key file %s: %w", path, err)
	}
	return loadKey(path)
}

func loadKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("key file %s can be read by others (mode %04o): run chmod 600 %s", path, mode, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("key file %s does not hold %d hexadecimal digits: restore it from a backup", path, 2*keySize)
	}
	return key, nil
}

// writeKey writes a file that is there whole or not at all: a key lost by half
// would be every secret lost.
func writeKey(path string, key []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link never replaces a key that somebody just made.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return os.Rename(f.Name(), path) // a file system without links
	}
	return nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, fmt.Errorf("the key has %d bytes, not %d", len(key), keySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts a secret. It opens only where it stands: about says whose it
// is, so that nobody moves one to another row. None stays none.
func (d *DB) seal(secret, about string) []byte {
	if secret == "" {
		return nil
	}
	return d.aead.Seal(nil, nil, []byte(secret), []byte(about))
}

var errSeal = errors.New("a secret in the database does not open with the key file")

func (d *DB) unseal(sealed []byte, about string) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	secret, err := d.aead.Open(nil, nil, sealed, []byte(about))
	if err != nil {
		return "", errSeal
	}
	return string(secret), nil
}

// keyCheck is the text sealed in every database.
const keyCheck = "matou"

// checkKey makes sure that the key is that of the database, before somebody
// writes secrets with another.
func (d *DB) checkKey(ctx context.Context, path string) error {
	var sealed []byte
	err := d.sql.QueryRowContext(ctx, "SELECT sealed FROM key_check").Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = d.sql.ExecContext(ctx, "INSERT INTO key_check (id, sealed) VALUES (1, ?)", d.seal(keyCheck, keyCheck))
	}
	if err != nil {
		return fmt.Errorf("check the key of database %s: %w", path, err)
	}
	if sealed == nil {
		return nil
	}
	if text, err := d.unseal(sealed, keyCheck); err != nil || text != keyCheck {
		return fmt.Errorf("database %s was made with another key file: restore the secret.key that belongs to it", path)
	}
	return nil
}
