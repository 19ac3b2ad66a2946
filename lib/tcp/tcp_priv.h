/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_PRIV_H
#define TCP_PRIV_H

#include "tcp_congestion.h"
#include "tcp_conn.h"
#include "tcp_limits.h"
#include "tcp_reassembly.h"
#include "tcp_rtt.h"
#include "tcp_scoreboard.h"
#include "tcp_sent.h"

/* The inside of a connection, for lib/tcp and its tests. Names as in RFC 9293 §3.3.1. */

/** An acknowledgment as it was to be sent at the segment that asked for one of its own. */
struct tcp_ack_record {
	uint32_t ack;
	uint32_t ts_ecr;
	uint64_t since_ns; /* arrival of the oldest data segment that it is the first to cover */
	bool covers_data; /* since_ns is meaningful */
	bool duplicate; /* counted as a duplicate ACK by the peer: the window must stand still */
	bool dsack; /* the first block is a D-SACK */
	uint8_t sack_count;
	struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
};

/** What the parts of one segment call for; answered when the last part has come. */
struct tcp_ack_parts {
	bool open; /* more parts follow */
	bool data, push, duplicate;
	uint32_t data_bytes;
	struct tcp_sack_block dsack; /* left == right: none */
};

/** What is to be acknowledged, and when (tcp_ack.c). "Pending" is what neither an ACK that was
 *  sent nor a record covers. */
struct tcp_ack_state {
	enum tcp_ack_policy policy;
	bool now; /* an ACK is due in the next output */
	bool window_update; /* so is one that announces a larger window */
	bool push; /* pending data came with PSH: no merging across bursts */
	uint32_t segments; /* pending in-order data segments */
	uint32_t full_segments; /* of them, full-sized ones */
	uint32_t full_bytes; /* what counts as full-sized */
	uint32_t same_bytes, same_count; /* the last segments' size, and how many had it */
	uint32_t quick_left; /* segments of the sender's first windows still to come */
	uint32_t covered; /* RCV.NXT when the last ACK was recorded or sent: Last.ACK.sent */
	uint64_t since_ns; /* arrival of the oldest pending segment, or of the last one that was */
	struct tcp_ack_parts parts;
	uint32_t ring_head, ring_tail; /* free-running */
	uint32_t ring_size; /* a power of two */
	struct tcp_ack_record *ring;
};

/** The receive window (tcp_window.c). */
struct tcp_window {
	uint32_t limit; /* bytes that may be unread; grows to goal as bytes are consumed */
	uint32_t goal; /* grows to cfg.rcv_window_max_bytes */
	uint32_t adv; /* the right edge last advertised; never retreats */
	uint64_t unread; /* in-order bytes not yet consumed by the application */
	uint64_t tune_start_ns; /* of the measuring interval, 0: none */
	uint64_t tune_bytes; /* consumed in it */
	bool used_up; /* in it the sender came close to the edge */
	bool crowded; /* frames were lost on a near path: it grows to what queues take */
	uint32_t payload_mean; /* smoothed payload size of received segments, bytes */
};

/** Data to send: a ring of bytes from SND.UNA to the end of the queue (tcp_send.c). */
struct tcp_send_buffer {
	uint8_t *bytes;
	uint32_t size; /* a power of two */
	uint32_t base_seq; /* of the oldest byte held */
	uint32_t end_seq; /* after the newest */
};

/** Explicit congestion notification, RFC 3168 (tcp_ecn.c). */
struct tcp_ecn {
	bool ask; /* the next SYN is an ECN-setup SYN */
	bool asked, plain_syn; /* one was sent; one that was not */
	bool on; /* both ends are ECN-capable */
	bool marks; /* our new data may be sent as ECT(0) */
	bool echo; /* CE came: ACKs say ECE until CWR comes */
	bool cwr_due; /* the window was reduced: the next new data says so */
	uint32_t reduced_at; /* SND.NXT then; ECE on ACKs up to it says nothing new */
};

/** What the retransmission timer, rto_ns, is set for. */
enum tcp_timer_kind {
	TCP_TIMER_RTO, /* RFC 6298 */
	TCP_TIMER_REO, /* before that: RACK's reordering window closes, RFC 8985 §6.2 */
	TCP_TIMER_PTO, /* before that, or then: a tail loss probe is due, RFC 8985 §7.2 */
};

/** RACK, RFC 8985 §5.3 (tcp_rack.c). */
struct tcp_rack {
	bool on; /* agreed on: SACK is, and the configuration asks for it */
	bool delivered_any; /* xmit_ns, end_seq, rtt_ns and fack mean something */
	bool reordering_seen;
	bool in_dsack_round; /* until dsack_round is acknowledged */
	uint32_t end_seq; /* RACK.end_seq of RACK.segment, the latest sent of those delivered, */
	uint64_t xmit_ns; /* RACK.xmit_ts: and when it was sent */
	uint64_t rtt_ns; /* RACK.rtt */
	uint32_t fack; /* RACK.fack: the highest delivered, exclusive */
	uint32_t dsack_round;
	uint32_t reo_wnd_mult; /* quarters of min_RTT in the reordering window */
	uint32_t reo_wnd_persist; /* recoveries for which that multiple stays */
	uint64_t reduced_ns; /* after a timeout: the last reduction of the window; */
	bool lost_again; /* a retransmission that went since was found lost */
};

/** Tail loss probes, RFC 8985 §7.1 (tcp_tlp.c). */
struct tcp_tlp {
	bool outstanding; /* a probe is, up to */
	uint32_t end_seq; /* TLP.end_seq: SND.NXT then */
	bool is_retrans; /* TLP.is_retrans: it was old data */
	bool used; /* there was a probe, when */
	uint32_t samples; /* so many RTT samples had been taken */
};

/** A path that may swallow full-sized segments in silence (tcp_black_hole.c). */
struct tcp_black_hole {
	uint16_t smss_before; /* smaller ones are being tried instead of these; 0: they are not */
	bool acquitted; /* smaller ones were lost, too: until progress nothing more is tried */
};

/** A recovery that may turn out to be spurious (tcp_undo.c). */
struct tcp_undo {
	bool on; /* there was one, and nothing has been decided yet */
	bool by_rto;
	bool eifel_awaits; /* the first ACK of new data after a retransmission */
	bool over; /* it has ended, */
	uint32_t over_nxt; /* SND.NXT then */
	uint32_t retransmit_ts; /* RetransmitTS, RFC 3522 §3.2 step 2 */
	bool retransmitted; /* something was sent again in it */
	uint32_t retransmits; /* segments sent again in it, and the probe before it, less those that
			       * D-SACKs told of */
	uint32_t again_count; /* runs in which they lie; not all, if they are many */
	struct tcp_sack_block again[TCP_UNDO_RANGES];
};

enum tcp_rst_pending {
	TCP_RST_NONE,
	TCP_RST_REPLY, /* answers a bad segment; the connection goes on */
	TCP_RST_CLOSE, /* then CLOSED */
};

struct tcp_conn {
	/* read for every segment, in the order of use: the first cache lines */
	enum tcp_state state;
	uint32_t rcv_nxt;
	uint32_t snd_una;
	uint32_t snd_wnd; /* bytes */
	uint32_t snd_wl1, snd_wl2;
	uint32_t ts_recent;
	uint32_t last_ack_sent;
	uint8_t snd_wscale, rcv_wscale;
	bool timestamps, sack, window_scaling; /* negotiated */
	bool fin_seen, fin_received; /* fin_seq is known; and reached by RCV.NXT */
	bool discard; /* the application reads no more */
	uint32_t keepalive_sent; /* probes since something was received */
	const struct tcp_config *cfg;
	struct counters *counters;
	uint64_t ts_recent_ns;
	uint64_t last_received_ns;
	struct tcp_window window;
	/* timers, looked at in every output: when they expire, TIME_NEVER when off. rto: as
	 * timer_kind says */
	uint64_t rto_ns, persist_ns, keepalive_ns, linger_ns; /* linger: TIME-WAIT, FIN-WAIT-2 */
	struct tcp_ack_state ack;
	struct tcp_reassembly reassembly;

	/* sending */
	uint32_t iss, irs;
	uint32_t snd_wnd_max; /* the largest ever offered */
	uint32_t fin_seq; /* the peer's FIN */
	uint16_t local_port, remote_port;
	uint16_t smss; /* payload bytes of a full segment that we send */
	uint16_t mss_peer;
	uint16_t mss_max; /* that the path takes: we announce it */
	uint16_t mss_default; /* the peer's, if its SYN does not say */
	bool fin_queued; /* our FIN follows the queued data */
	bool syn_due, probe_due, retransmit_first;
	bool tlp_due; /* the PTO expired: a tail loss probe goes */
	bool small_allowed; /* silly window avoidance is overridden for one segment */
	struct tcp_ecn ecn;
	uint32_t dup_acks;
	uint32_t limited_bytes; /* sent by limited transmit, not counted in FlightSize */
	struct tcp_send_buffer send;
	struct tcp_scoreboard board; /* board.high_data is SND.NXT */
	struct tcp_congestion_control congestion;
	struct tcp_rtt rtt;
	uint32_t timed_seq; /* RTT: the ACK that covers this ends the measurement */
	uint64_t timed_ns; /* 0: none under way */
	uint64_t last_sent_ns;
	enum tcp_timer_kind timer_kind;
	uint64_t rto_at_ns; /* when the RTO itself expires: rto_ns, or later */
	struct tcp_sent sent; /* with RACK */
	struct tcp_rack rack;
	struct tcp_tlp tlp;
	struct tcp_undo undo;
	struct tcp_black_hole black_hole;

	/* control */
	enum tcp_rst_pending rst;
	uint32_t rst_seq;
	uint32_t ts_offset;
	uint64_t challenge_seed, challenge_start_ns;
	uint32_t challenge_left;

	uint32_t retries; /* consecutive expiries without an ACK */
	uint32_t persist_backoff;
	uint64_t persist_sent_ns; /* of the first probe that was not answered, 0: none */
	uint32_t persist_unanswered;
	bool syn_retransmitted;
	bool answered; /* a segment of the peer's ended SYN-SENT */

	int error, soft_error;
	uint32_t retransmits;
	uint64_t syn_sent_ns, established_ns;
	/* then the memory of ack.ring, reassembly, board, sent and send, see tcp_conn_bytes */
} __attribute__((aligned(TCP_CONN_ALIGNMENT)));

/* tcp_state.c */

/** The only way to change the state: CHECKs that RFC 9293 figure 5 has the transition. */
void tcp_set_state(struct tcp_conn *c, enum tcp_state state);

/** To CLOSED with this error: timers stop, nothing more is sent but a pending RST. What is in order
 *  can still be read. */
void tcp_state_end(struct tcp_conn *c, int error);

/** Counts a segment; of one in several buffers, its last part. */
static inline void
tcp_count(struct tcp_conn *c, const struct tcp_segment *s, enum counter_id id)
{
	counter_add(c->counters, id, s->more ? 0 : 1);
}

static inline bool
tcp_state_synchronised(enum tcp_state state)
{
	return state >= TCP_ESTABLISHED;
}

/** May the peer still send us data? */
static inline bool
tcp_state_receives(enum tcp_state state)
{
	return state == TCP_ESTABLISHED || state == TCP_FIN_WAIT_1 || state == TCP_FIN_WAIT_2;
}

/** SND.NXT. */
static inline uint32_t
tcp_snd_nxt(const struct tcp_conn *c)
{
	return c->board.high_data;
}

/** RCV.WND: what the peer may still send. */
static inline uint32_t
tcp_rcv_wnd(const struct tcp_conn *c)
{
	/* The peer's FIN takes a number that the window need not cover. */
	return seq_gt(c->rcv_nxt, c->window.adv) ? 0 : c->window.adv - c->rcv_nxt;
}

/* tcp_options.c */

/** What our SYN offers. */
void tcp_options_offer(const struct tcp_conn *c, struct tcp_segment *ret);
/** What the peer's SYN settled. */
void tcp_options_negotiate(struct tcp_conn *c, const struct tcp_segment *syn);
/** The timestamp of a segment that we send. */
void tcp_options_stamp(const struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret);
/** Our timestamp clock in ticks. */
uint32_t tcp_options_clock(const struct tcp_conn *c, uint64_t now_ns);
/** RFC 7323 §3.2: does the segment lack the timestamp that it must carry? */
bool tcp_options_stamp_missing(const struct tcp_conn *c, const struct tcp_segment *s);
/** RFC 7323 §5.3 R1: is the segment older than what we have seen? */
bool tcp_options_paws_reject(
	const struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns);
/** RFC 7323 §4.3 (2): TS.Recent follows the segment that opens the next ACK. For segments whose
 *  sequence and acknowledgment were found acceptable: TS.Recent must not be for a stranger to
 *  set. */
void tcp_options_on_segment(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns);

/* tcp_ecn.c: RFC 3168 */

/** A new connection: asks as cfg.ecn says. */
void tcp_ecn_reset(struct tcp_conn *c);
/** Our SYN or SYN-ACK is about to go: its ECE and CWR. */
void tcp_ecn_offer(struct tcp_conn *c, struct tcp_segment *syn);
/** §6.1.1.1: the SYN's timer expired; after TCP_ECN_SYN_TRIES no more ECN is asked for. */
void tcp_ecn_on_syn_lost(struct tcp_conn *c);
/** §6.1.1.1: a RST answers our SYN. true: it asked for ECN; try once more without. */
bool tcp_ecn_on_refused(struct tcp_conn *c);
/** What the peer's SYN or SYN-ACK settled. */
void tcp_ecn_on_syn(struct tcp_conn *c, const struct tcp_segment *syn);
/** An acceptable segment, before its text: CE and CWR. Bits of any other are a stranger's. */
void tcp_ecn_on_data(struct tcp_conn *c, const struct tcp_segment *s);
/** s is about to go: ECE, where it is due. */
void tcp_ecn_on_output(struct tcp_conn *c, struct tcp_segment *s);
/** cwnd was reduced, for whatever reason: CWR is due, ECE up to SND.NXT is old. */
void tcp_ecn_on_reduction(struct tcp_conn *c);
/** SND.UNA moved on: a reduction that it has passed is not to become the future by wrapping. */
void tcp_ecn_on_advance(struct tcp_conn *c);
/** Does this acceptable ACK ask for a reduction? */
bool tcp_ecn_congested(const struct tcp_conn *c, const struct tcp_segment *s);
/** s is new data (or a FIN), about to go for the first time: ECT(0) and CWR. */
void tcp_ecn_on_new_data(struct tcp_conn *c, struct tcp_segment *s);

/* tcp_ack.c */

void tcp_ack_reset(struct tcp_ack_state *a, enum tcp_ack_policy policy);
/** The input until tcp_ack_close_parts is one segment in several buffers: it counts, and is
 *  acknowledged, once. Opening what is open changes nothing. */
void tcp_ack_open_parts(struct tcp_conn *c);
void tcp_ack_close_parts(struct tcp_conn *c, uint64_t now_ns);
/** In-order data of len bytes came. RCV.NXT has advanced. */
void tcp_ack_on_data(struct tcp_conn *c, uint32_t len, bool push, uint64_t now_ns);
/** Would tcp_ack_on_data for segments without PSH do no more than count them? */
bool tcp_ack_merges(const struct tcp_conn *c, uint64_t now_ns);
/** n such segments. */
void tcp_ack_on_run(struct tcp_conn *c, uint32_t n, uint64_t now_ns);
/** In-order data that the FIN follows in the same segment: one ACK, at once, will cover both. */
void tcp_ack_on_last_data(struct tcp_conn *c, uint64_t now_ns);
/** A segment that must be acknowledged at once and by an ACK of its own: out of order, duplicate
 *  (dsack: the run that we had; NULL or empty: none). */
void tcp_ack_on_duplicate(struct tcp_conn *c, const struct tcp_sack_block *dsack);
/** The sender has been repairing a loss: its window is small for a while. */
void tcp_ack_on_hole_filled(struct tcp_conn *c);
/** An ACK is due in the next output: hole filled, FIN, window probe. */
void tcp_ack_at_once(struct tcp_conn *c);
/** RFC 5961: an ACK that a blind attacker may have provoked, rate-limited. */
void tcp_ack_challenge(struct tcp_conn *c, uint64_t now_ns);
/** Is a plain ACK due? */
bool tcp_ack_due(const struct tcp_conn *c, uint64_t now_ns);
/** When it will be, without further input. */
uint64_t tcp_ack_deadline(const struct tcp_conn *c);
/** Are there recorded ACKs? */
static inline bool
tcp_ack_recorded(const struct tcp_conn *c)
{
	return c->ack.ring_head != c->ack.ring_tail;
}
/** Fills in the oldest recorded ACK and forgets it: ack, window, timestamp, SACK blocks. */
void tcp_ack_take_record(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret);
/** Fills in the acknowledgment of a segment about to go: ack, window, timestamp, as many SACK
 *  blocks as option_room bytes hold. Nothing is pending then. */
void tcp_ack_fill(
	struct tcp_conn *c, uint64_t now_ns, uint32_t option_room, struct tcp_segment *ret);

/* tcp_window.c */

void tcp_window_init(struct tcp_conn *c);
/** The shift to offer, so that the largest window fits the field. */
uint8_t tcp_window_scale(uint32_t window_max_bytes);
/** The window field of a segment about to go with this ack; moves the advertised edge.
 *  grow: it may move further than it stands. */
uint16_t tcp_window_advertise(struct tcp_conn *c, uint32_t ack, bool grow);
/** RCV.NXT advanced by `advance` bytes of data, by a segment of segment_bytes. */
void tcp_window_on_data(struct tcp_conn *c, uint32_t advance, uint32_t segment_bytes);
/** The same for n segments, of these payloads, bytes in all. */
void tcp_window_on_run(struct tcp_conn *c, const struct payload *part, uint32_t n, uint64_t bytes);
/** The application is done with bytes: tunes, and asks for a window update if the sender needs it. */
void tcp_window_on_consumed(struct tcp_conn *c, uint64_t bytes);
/** Time for auto-tuning's interval, from segments that come. */
void tcp_window_tune(struct tcp_conn *c, uint64_t now_ns);

/* tcp_send.c: what we send */

/** The size of a buffer for so many bytes: a power of two. */
uint32_t tcp_send_buffer_size(uint32_t bytes);
void tcp_send_start(struct tcp_conn *c, uint32_t iss);
/** The next data or FIN segment that windows allow, into *ret (seq, flags, payload). */
bool tcp_send_next(struct tcp_conn *c, uint64_t now_ns, struct tcp_segment *ret);
/** Bytes in the network, as the recovery that is on counts them. */
uint32_t tcp_send_in_network(const struct tcp_conn *c);
/** Unsent data or FIN is queued. */
bool tcp_send_pending(const struct tcp_conn *c);
/** Has our FIN been acknowledged? */
bool tcp_send_fin_acked(const struct tcp_conn *c);
/** Options were negotiated. */
void tcp_send_on_smss(struct tcp_conn *c, uint16_t smss);
/** RFC 9293 §3.8.6.1: does the peer's window alone keep all of the queue from being sent? */
bool tcp_send_blocked(const struct tcp_conn *c);
/** The persist timer: lets a segment out if the window has any room. false: it has none. */
bool tcp_send_override(struct tcp_conn *c);

/* tcp_recovery.c: what the peer acknowledges of what we sent, and what was lost of it */

/** RFC 9293 §3.10.7.4 fifth: an acceptable ACK in a synchronised state. */
void tcp_recovery_on_ack(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns);
/** The retransmission timer expired with data outstanding. */
void tcp_recovery_on_rto(struct tcp_conn *c, uint64_t now_ns);
/** The reordering timer expired. */
void tcp_recovery_on_reo_timer(struct tcp_conn *c, uint64_t now_ns);
/** The path takes only smss bytes: what is in flight was lost if larger. */
void tcp_recovery_on_path_smss(struct tcp_conn *c, uint16_t smss);
/** Is a loss being repaired, in fast recovery or after a timeout? */
static inline bool
tcp_recovery_on(const struct tcp_conn *c)
{
	return c->board.recovering || c->board.after_rto;
}

/* tcp_rack.c: RFC 8985 §6. For connections whose rack.on is set. */

/** What an ACK means besides its numbers. */
struct tcp_rack_event {
	bool dsack; /* it tells of a retransmission in vain */
	bool recovered; /* it ended a recovery, fast or from a timeout */
};

/** Nothing outstanding, nothing learnt. rack.on stays. */
void tcp_rack_reset(struct tcp_conn *c);
/** §6.2 steps 2 to 4: an ACK that the scoreboard has seen already. */
void tcp_rack_on_ack(struct tcp_conn *c, const struct tcp_segment *s,
	const struct tcp_scoreboard_news *news, const struct tcp_rack_event *event,
	uint64_t now_ns);
/** May something outstanding have been sent before something that was delivered, though nothing is
 *  SACKed? New data of a recovery is, if a retransmission that went after it arrived. */
bool tcp_rack_overtaken(const struct tcp_conn *c);
/** §6.2 step 5, on an ACK or the reordering timer, which is set or stopped. true: segments were
 *  found lost that were not known to be. */
bool tcp_rack_detect_loss(struct tcp_conn *c, uint64_t now_ns);
/** §6.3: the RTO expired. The first segment is lost, and what was sent too long ago; what was SACKed
 *  is forgotten. */
void tcp_rack_on_rto(struct tcp_conn *c, uint64_t now_ns);
/** All that is outstanding is lost: it was too big for the path. */
void tcp_rack_on_all_lost(struct tcp_conn *c);
/** Bytes in the network: outstanding, not SACKed, not lost. */
uint32_t tcp_rack_pipe(const struct tcp_conn *c);
/** The first lost segment, 1..SMSS bytes, and the record of c->sent that it is in. false: none. */
bool tcp_rack_next_lost(const struct tcp_conn *c, uint32_t *ret_record, struct tcp_sack_block *ret);
/** The same of the highest segment that was not SACKed. */
bool tcp_rack_last(const struct tcp_conn *c, uint32_t *ret_record, struct tcp_sack_block *ret);

/* tcp_tlp.c: RFC 8985 §7 */

void tcp_tlp_reset(struct tcp_conn *c);
/** New data was sent, or acknowledged: the PTO starts, if a probe would be allowed and no reordering
 *  timer runs, which finds losses sooner. */
void tcp_tlp_schedule(struct tcp_conn *c, uint64_t now_ns);
/** The PTO expired: a probe is due. The RTO starts anew. */
void tcp_tlp_on_timer(struct tcp_conn *c, uint64_t now_ns);
/** The probe goes, new data or (is_retrans) the last that was sent once more. */
void tcp_tlp_on_probe(struct tcp_conn *c, bool is_retrans);
/** A recovery, fast or from a timeout, begins: it does what probes are for. */
void tcp_tlp_on_recovery(struct tcp_conn *c);
/** Does this D-SACK say that the probe was needless? */
bool tcp_tlp_answered(const struct tcp_conn *c, const struct tcp_sack_block *dsack);
/** An ACK; duplicate: it says nothing new. true: the probe repaired a loss, of which congestion
 *  control has to hear. */
bool tcp_tlp_on_ack(struct tcp_conn *c, const struct tcp_segment *s,
	const struct tcp_sack_block *dsack, bool duplicate);

/* tcp_undo.c: RFC 3522, RFC 4015 */

/** A recovery is about to begin, before anything is reduced for it. */
void tcp_undo_begin(struct tcp_conn *c, bool by_rto);
/** What follows is no recovery of that kind: nothing is to be undone. */
void tcp_undo_stop(struct tcp_conn *c);
/** A segment goes again. */
void tcp_undo_on_retransmit(
	struct tcp_conn *c, const struct tcp_sack_block *segment, uint64_t now_ns);
/** An ACK; SND.UNA has followed it. Takes the recovery back if this shows that it was spurious. */
void tcp_undo_on_ack(
	struct tcp_conn *c, const struct tcp_segment *s, const struct tcp_scoreboard_news *news);

/* tcp_black_hole.c: RFC 4821 §7.7 */

/** The RTO expired, c->retries times in a row: segments may have to become smaller. */
void tcp_black_hole_on_rto(struct tcp_conn *c);
/** A router says that the path takes no more than smss bytes. */
void tcp_black_hole_on_path_smss(struct tcp_conn *c, uint16_t smss);
/** Something new was acknowledged: what is sent now arrives. */
void tcp_black_hole_on_progress(struct tcp_conn *c);

/* tcp_timer.c */

void tcp_timer_stop_all(struct tcp_conn *c);
/** Runs what has expired. */
void tcp_timer_run(struct tcp_conn *c, uint64_t now_ns);
uint64_t tcp_timer_deadline(const struct tcp_conn *c);
void tcp_timer_start_rto(struct tcp_conn *c, uint64_t now_ns);
/** The same, but the reordering timer, if it is set, stays. */
void tcp_timer_restart_rto(struct tcp_conn *c, uint64_t now_ns);
void tcp_timer_stop_rto(struct tcp_conn *c);
/** The running retransmission timer expires at at_ns for PTO or REO, if that is before the RTO. A PTO
 *  that is not takes the RTO's place (RFC 8985 §7.2). */
void tcp_timer_start_before_rto(struct tcp_conn *c, enum tcp_timer_kind kind, uint64_t at_ns);
/** If it is set for this kind, it is for the RTO again. */
void tcp_timer_cancel(struct tcp_conn *c, enum tcp_timer_kind kind);
/** Starts or stops the persist timer: blocked as tcp_send_blocked says. */
void tcp_timer_update_persist(struct tcp_conn *c, bool blocked, uint64_t now_ns);
/** Something came that only the peer can have sent, its SEQ and ACK being acceptable: keepalive
 *  begins anew. */
void tcp_timer_on_received(struct tcp_conn *c, uint64_t now_ns);
/** FIN-WAIT-2 of a connection nobody reads, TIME-WAIT. */
void tcp_timer_start_linger(struct tcp_conn *c, uint64_t delay_ns, uint64_t now_ns);

/* tcp_input.c */

bool tcp_input_segment(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns);
/** tcp_conn_input_run. */
uint32_t tcp_input_run(struct tcp_conn *c, const struct tcp_segment *first,
	const struct payload *part, uint32_t n, uint64_t now_ns);

/* tcp_text.c: data and FIN */

/** Header prediction: true if s was the plain next data segment and its payload was kept. */
bool tcp_text_predicted(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns);
/** tcp_conn_run_expected. */
bool tcp_text_run_expected(
	const struct tcp_conn *c, const struct tcp_segment *first, uint64_t now_ns);
/** What tcp_text_predicted does, for a run: its payloads are kept as far as window and buffers go.
 *  Returns how many, and their bytes. */
uint32_t tcp_text_run(struct tcp_conn *c, const struct tcp_segment *first,
	const struct payload *part, uint32_t n, uint64_t now_ns, uint64_t *ret_bytes);
/** RFC 9293 §3.10.7.4 seventh and eighth. s starts with data, not with a SYN. Returns whether the
 *  payload's owner was kept. */
bool tcp_text_process(struct tcp_conn *c, const struct tcp_segment *s, uint64_t now_ns);

#endif
