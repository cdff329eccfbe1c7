package proof_test

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
