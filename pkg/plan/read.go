package plan

import (
	"encoding/json"
	"fmt"
)

// ReadJSON reads what JSON has written: a plan to look at. What would be sent is not in it.
func ReadJSON(data []byte) (*Plan, error) {
	p := &Plan{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return p, nil
}
