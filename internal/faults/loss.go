package faults

import "math/rand/v2"

// Losses returns what a power cut may do: nothing, everything, and for each of n a random choice
// among whole writes and one among pieces of 512 bytes, which is what a disk writes as a whole.
func Losses(r *rand.Rand, n int) map[string]Loss {
	losses := map[string]Loss{"none": part{r, 0, false}, "all": part{r, 1, false}}
	for i := range n {
		share := []float64{0.5, 0.9, 0.1}[i%3]
		losses["random "+string(rune('a'+i))] = part{r, share, false}
		losses["torn "+string(rune('a'+i))] = part{r, share, true}
	}
	return losses
}

// sector is what a disk writes as a whole.
const sector = 512

// part keeps a share of what was not synced.
type part struct {
	random *rand.Rand
	share  float64
	torn   bool // each sector is kept or lost by itself
}

// Names implements Loss.
func (p part) Names(n int) int {
	done := 0
	for done < n && p.random.Float64() < p.share {
		done++
	}
	return done
}

// Change implements Loss.
func (p part) Change(ch Piece) []Piece {
	if !p.torn || ch.Data == nil {
		if p.random.Float64() < p.share {
			return []Piece{ch}
		}
		return nil
	}
	var left []Piece
	for from := 0; from < len(ch.Data); from += sector {
		if p.random.Float64() < p.share {
			left = append(left, Piece{ch.At + int64(from), ch.Data[from:min(from+sector, len(ch.Data))]})
		}
	}
	return left
}
