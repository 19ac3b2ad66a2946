/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "port_fanout.h"
#include "port_priv.h"

#define TCP_HASHES (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP)

/* Microsoft's, which most drivers have as their own; longer ones repeat it. */
static const uint8_t default_key[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77,
	0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

/* Bytes of the port's key; one whose driver does not say has the usual ones. */
static uint32_t
key_len_of(const struct port *p)
{
	uint32_t len = p->dev.hash_key_size > 0 ? p->dev.hash_key_size : sizeof(default_key);

	return RTE_MIN(len, PORT_RSS_KEY_MAX);
}

void
port_rss_ask(struct port *p, struct rte_eth_conf *conf)
{
	uint64_t hashes = p->dev.flow_type_rss_offloads & TCP_HASHES;
	uint32_t i;

	if (p->cfg.queues == 1 || hashes == 0)
		return;
	for (i = 0; i < sizeof(p->rss_key); i++)
		p->rss_key[i] = default_key[i % sizeof(default_key)];
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){
		.rss_key = p->rss_key, .rss_key_len = (uint8_t)key_len_of(p), .rss_hf = hashes};
	p->rss_asked = true;
}

/* The key in force: what the NIC says, else what it was asked to take. false: it does not hash TCP. */
static bool
read_key(const struct port *p, struct port_steering *ret)
{
	struct rte_eth_rss_conf conf = {.rss_key = ret->key, .rss_key_len = (uint8_t)key_len_of(p)};

	ret->key_len = key_len_of(p);
	if (rte_eth_dev_rss_hash_conf_get(p->cfg.port_id, &conf) != 0) {
		memcpy(ret->key, p->rss_key, ret->key_len);
		return true;
	}
	return (conf.rss_hf & TCP_HASHES) != 0;
}

/* Has each queue an entry? A worker without any would find no source port. */
static bool
serves_all(const struct port_steering *s, uint16_t queues)
{
	uint64_t served = 0;
	uint32_t i;

	for (i = 0; i < s->reta_size; i++) {
		if (s->reta[i] >= queues)
			return false;
		served |= UINT64_C(1) << s->reta[i];
	}
	return served == UINT64_MAX >> (PORT_QUEUES_MAX - queues);
}

static bool
read_reta(const struct port *p, struct port_steering *ret)
{
	struct rte_eth_rss_reta_entry64 group[PORT_RSS_RETA_MAX / RTE_ETH_RETA_GROUP_SIZE];
	uint32_t i;

	ret->reta_size = p->dev.reta_size;
	if (ret->reta_size == 0 || ret->reta_size > PORT_RSS_RETA_MAX)
		return false;
	memset(group, 0, sizeof(group));
	for (i = 0; i < RTE_DIM(group); i++)
		group[i].mask = UINT64_MAX;
	if (rte_eth_dev_rss_reta_query(p->cfg.port_id, group, p->dev.reta_size) != 0)
		return false;
	for (i = 0; i < ret->reta_size; i++)
		ret->reta[i] = group[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
	return serves_all(ret, p->cfg.queues);
}

/* Some have other sizes once they know the number of queues, as mlx5's table. */
static void
ask_sizes_again(struct port *p)
{
	struct rte_eth_dev_info now;

	if (rte_eth_dev_info_get(p->cfg.port_id, &now) != 0)
		return;
	p->dev.reta_size = now.reta_size;
	p->dev.hash_key_size = now.hash_key_size;
}

/* Most drivers deal out the entries by themselves. */
void
port_rss_deal_out(struct port *p)
{
	struct rte_eth_rss_reta_entry64 group[PORT_RSS_RETA_MAX / RTE_ETH_RETA_GROUP_SIZE];
	struct port_steering now;
	uint32_t i;

	ask_sizes_again(p);
	if (!p->rss_asked || read_reta(p, &now) || p->dev.reta_size == 0 ||
		p->dev.reta_size > PORT_RSS_RETA_MAX)
		return;
	memset(group, 0, sizeof(group));
	for (i = 0; i < p->dev.reta_size; i++) {
		struct rte_eth_rss_reta_entry64 *g = &group[i / RTE_ETH_RETA_GROUP_SIZE];

		g->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		g->reta[i % RTE_ETH_RETA_GROUP_SIZE] = (uint16_t)(i % p->cfg.queues);
	}
	(void)rte_eth_dev_rss_reta_update(p->cfg.port_id, group, p->dev.reta_size);
}

void
port_steering(const struct port *p, struct port_steering *ret)
{
	*ret = (struct port_steering){.kind = PORT_STEERING_UNKNOWN};
	if (p->cfg.queues == p->packet_sockets &&
		port_fanout_is_steered(p->packet_socket, p->packet_sockets))
		ret->kind = PORT_STEERING_PORT;
	else if (p->rss_asked && read_key(p, ret) && read_reta(p, ret))
		ret->kind = PORT_STEERING_RSS;
}
