package api

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

const (
	defaultPage = 100
	mostPage    = 1000
)

// paged is a page of a list that is sorted by a key: what follows the key in the token, and the token of the next page. So a page
// that is asked for later begins where the one before ended, whatever came or went in between.
func paged[T any](all []T, key func(T) string, size int32, token string) (page []T, next string, err error) {
	n, err := pageSize(size)
	if err != nil {
		return nil, "", err
	}
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, "", invalid("page_token: is none; use next_page_token of the answer before")
	}
	if token != "" {
		i, found := slices.BinarySearchFunc(all, string(after), func(e T, k string) int { return strings.Compare(key(e), k) })
		if found {
			i++
		}
		all = all[i:]
	}
	if len(all) <= n {
		return all, "", nil
	}
	return all[:n], base64.RawURLEncoding.EncodeToString([]byte(key(all[n-1]))), nil
}

// pageSize is how many entries a page has.
func pageSize(asked int32) (int, error) {
	switch {
	case asked < 0:
		return 0, invalid(fmt.Sprintf("page_size: %d; use 1 to %d, or 0 for %d", asked, mostPage, defaultPage))
	case asked == 0:
		return defaultPage, nil
	}
	return min(int(asked), mostPage), nil
}

func hasPrefix(name, prefix string) bool { return strings.HasPrefix(name, prefix) }
