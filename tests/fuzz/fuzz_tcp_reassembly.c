/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdint.h>

#include "base_check.h"
#include "test_reassembly_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The reassembly store against its byte-by-byte reference, driven by any script. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CHECK(test_reassembly_model_run(data, size) == NULL);
	return 0;
}
