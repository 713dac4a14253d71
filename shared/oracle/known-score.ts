/** What a store says of a key; null: it knows the key and has no score for it. */
export type KnownScore = Readonly<Record<string, number>> | null
