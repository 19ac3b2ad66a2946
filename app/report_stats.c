/* SPDX-License-Identifier: BSD-3-Clause */
#include "report_json.h"
#include "report_variable.h"

static json_t *
value_json(const struct report_value *value)
{
	switch (value->kind) {
	case REPORT_TEXT:
		return report_json_text(value->text);
	case REPORT_WHOLE:
		return json_integer(value->whole);
	case REPORT_REAL:
		return json_real(value->real);
	}
	return NULL;
}

json_t *
report_variables_json(const struct report *r)
{
	json_t *object = json_object();
	struct report_value value;
	uint32_t i;

	for (i = 0; i < report_variable_count(); i++) {
		report_variable_get(r, i, &value);
		json_object_set_new(object, report_variable_name(i), value_json(&value));
	}
	return object;
}

static json_t *
tcp_json(const struct report *r)
{
	const struct tcp_info *t = &r->tcp;

	return json_pack("{s:s, s:f, s:f, s:i, s:i, s:i, s:b, s:b, s:b, s:I, s:I}", "state",
		tcp_state_name(t->state), "srtt_us", (double)t->srtt_ns / 1e3, "rto_ms",
		(double)t->rto_ns / 1e6, "mss_send", t->mss_send, "rcv_wscale", t->rcv_wscale,
		"snd_wscale", t->snd_wscale, "timestamps", t->timestamps, "sack", t->sack,
		"window_scaling", t->window_scaling, "rcv_window_limit",
		(json_int_t)t->rcv_window_limit, "retransmits", (json_int_t)t->retransmits);
}

static json_t *
sink_json(const struct report *r)
{
	const struct sink_file_info *i = &r->sink;

	return json_pack("{s:s, s:I, s:i, s:f, s:f}", "method", sink_method_name(i->method),
		"bytes_written", (json_int_t)i->bytes_written, "writes", (int)i->writes,
		"write_seconds", (double)i->write_ns_total / 1e9, "stall_seconds",
		(double)i->stall_ns / 1e9);
}

static json_t *
transfer_json(const struct report *r)
{
	json_t *object = json_object();

	json_t *result = report_variables_json(r);

	(void)json_object_del(result, "url");
	json_object_set_new(result, "url", report_json_url(r->url_given));
	json_object_set_new(object, "result", result);
	json_object_set_new(object, "tcp", tcp_json(r));
	json_object_set_new(object, "ack_delay", report_json_distribution(&r->ack_delay, 1e3));
	json_object_set_new(object, "iteration",
		report_json_distribution(&r->iteration, (double)r->cycles_hz / 1e6));
	json_object_set_new(object, "core", report_json_core(r->core, &r->usage, r->cycles_hz));
	json_object_set_new(object, "cpu",
		json_pack("{s:f, s:f, s:f}", "wall_s",
			(double)(r->result.end_ns - r->result.start_ns) / 1e9, "user_s",
			(double)r->cpu_user_ns / 1e9, "system_s", (double)r->cpu_system_ns / 1e9));
	json_object_set_new(object, "nic", report_json_nic(&r->nic));
	if (r->machine != NULL)
		json_object_set_new(object, "machine", report_json_machine(r->machine));
	json_object_set_new(object, "sink", sink_json(r));
	json_object_set_new(object, "counters", report_json_counters(&r->counters));
	return object;
}

int
report_stats_write(const char *path, const struct report *reports, uint32_t count,
	const struct settings *s, struct port *port)
{
	json_t *root = json_object(), *transfers = json_array();
	uint32_t i;
	int rc;

	json_object_set_new(root, "schema", json_integer(REPORT_JSON_SCHEMA));
	json_object_set_new(
		root, "stack", json_string(s->stack == SETTINGS_STACK_KERNEL ? "kernel" : "dpdk"));
	json_object_set_new(root, "headers", report_json_headers(s));
	if (count > 0)
		json_object_set_new(
			root, "environment", report_json_environment(&reports[0].port, s));
	for (i = 0; i < count; i++)
		json_array_append_new(transfers, transfer_json(&reports[i]));
	json_object_set_new(root, "transfers", transfers);
	json_object_set_new(root, "xstats", report_json_xstats(port));
	rc = report_json_write(root, path);
	json_decref(root);
	return rc;
}
