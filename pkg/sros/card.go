package sros

import "github.com/loomfabric/loom/models/sros"

// cards are what the platform's ports are on: a port that is configured before its card, its adapter and what switches between them
// is refused. Licences of cards (level) are nobody's business here.
func (r renderer) cards() {
	r.because(r.d.Ref, "card")
	for i, kind := range r.d.Platform.Fabrics {
		r.In(sros.ConfigureSfm, decimal(i+1), func() { r.Str(sros.ConfigureSfmSfmType, kind) })
	}
	for _, card := range r.d.Platform.Cards {
		r.In(sros.ConfigureCard, decimal(card.Slot), func() {
			r.Str(sros.ConfigureCardCardType, card.Type)
			for _, mda := range card.MDAs {
				r.In(sros.ConfigureCardMda, decimal(mda.Slot), func() { r.Str(sros.ConfigureCardMdaMdaType, mda.Type) })
			}
		})
	}
}
