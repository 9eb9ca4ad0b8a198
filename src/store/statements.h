/* SPDX-License-Identifier: Apache-2.0 */
/* statements.h - every SQL statement that runs while the store is open; prepared once.
 * ?1 is always the version and ?2 the node where a statement has both. Next: schema.c, the
 * tables. */
#ifndef EK_STORE_STATEMENTS_H
#define EK_STORE_STATEMENTS_H

/* clang-format off */
#define OF_VERSION " WHERE version = ?1 AND node = ?2 "
#define VALUES_OF_FIVE "VALUES(?1, ?2, ?3, ?4, ?5)"
#define NEWEST " ORDER BY at DESC, epoch DESC LIMIT 1"
#define OLDEST " ORDER BY at, epoch LIMIT 1"
#define FROM_ONE(table, condition, order) \
    "SELECT at, epoch, counts FROM " \
    "(SELECT at, epoch, counts FROM " table OF_VERSION condition order ")"
#define FROM_EITHER(condition, order) \
    FROM_ONE("minute", condition, order) " UNION ALL " FROM_ONE("hour", condition, order) order
#define FORGET(table, condition) \
    "DELETE FROM " table " WHERE (version, node, at, epoch) IN " \
    "(SELECT version, node, at, epoch FROM " table OF_VERSION condition \
    " ORDER BY at, epoch LIMIT ?4)"
#define ALL_VERSIONS "(SELECT 0 AS id UNION ALL SELECT id FROM version)"
#define FUTURE(table, condition) \
    "DELETE FROM " table " WHERE version IN " ALL_VERSIONS " AND node = ?1 " condition
#define CHANGE_COLUMNS \
    "id, kind, service, instance, value, who, why, at, expires, file_value"

#define DEED_COLUMNS /* as kept_deeds.h has them */ \
    "number, at, id, expires, serial, " \
    "deed, who, why, \"by\", change, service, instance, value, error, changed, needs_restart"

#define STATEMENTS(X) \
    X(NODE_ADD, \
      "INSERT INTO node(uid, created) VALUES(?1, ?2)") \
    X(NODE_FIND, \
      "SELECT id, uid FROM node ORDER BY id LIMIT 1") \
    \
    X(EPOCH_ADD, \
      "INSERT INTO epoch(node, started, program) VALUES(?1, ?2, ?3) RETURNING id") \
    X(EPOCH_END, \
      "UPDATE epoch SET ended = ?2 WHERE id = ?1") \
    X(EPOCH_LAST, /* until when all is stored: a start in which nothing was counted yet stored all */ \
      "SELECT e.id, e.ended IS NULL, max(e.started, coalesce((SELECT t.at FROM total t " \
      "WHERE t.version = 0 AND t.node = e.node), 0)) FROM epoch e WHERE e.node = ?1 " \
      "ORDER BY e.id DESC LIMIT 1") \
    X(LOSS_PUT, \
      "UPDATE epoch SET stored_ms = ?2, lived_ms = nullif(?3, 0), back_ms = ?4 WHERE id = ?1") \
    X(LOSSES_LIST, \
      "SELECT stored_ms, coalesce(lived_ms, 0), back_ms FROM epoch WHERE stored_ms IS NOT NULL " \
      "ORDER BY id DESC LIMIT ?1") \
    X(BEGINS_BACK, /* a history that lies in the future as a whole begins a second ago */ \
      "INSERT OR IGNORE INTO hour(version, node, at, epoch, counts) " \
      "SELECT h.version, h.node, ?2 - 1, h.epoch, h.counts FROM " ALL_VERSIONS " AS v JOIN hour h " \
      "ON h.version = v.id AND h.node = ?1 AND h.at = " \
      "(SELECT min(f.at) FROM hour f WHERE f.version = v.id AND f.node = ?1) WHERE h.at >= ?2") \
    X(MINUTES_BACK, FUTURE("minute", "AND at > ?2")) \
    X(HOURS_BACK, FUTURE("hour", "AND at >= ?2")) /* of now are begins, which were moved */ \
    X(TOTALS_BACK, \
      "UPDATE total SET at = ?2 WHERE node = ?1 AND at > ?2") \
    X(TOTALS_KEEP, /* what was counted after the last kept minute keeps its time */ \
      "INSERT OR REPLACE INTO minute(version, node, at, epoch, counts) " \
      "SELECT version, node, at, epoch, counts FROM total WHERE node = ?1") \
    X(HISTORY_BEGIN, /* a history begins with zeroes */ \
      "INSERT INTO hour(version, node, at, epoch, counts) SELECT ?1, ?2, ?3, ?4, x'' " \
      "WHERE NOT EXISTS (SELECT 1 FROM hour" OF_VERSION ")") \
    \
    X(VERSION_FIND, \
      "SELECT v.id, v.number, coalesce(v.bins, v.id), v.basis IS NOT NULL " \
      "FROM journey j JOIN version v ON v.journey = j.id WHERE j.name = ?1 AND v.definition = ?2") \
    X(VERSION_MEAN, /* a row of an older program */ \
      "UPDATE version SET basis = ?2, unders = ?3 WHERE id = ?1") \
    X(VERSION_LAST, \
      "SELECT v.id, coalesce(v.bins, v.id), coalesce(v.follows, 0), v.unders " \
      "FROM journey j JOIN version v ON v.journey = j.id " \
      "WHERE j.name = ?1 AND v.basis = ?2 AND v.force IS NOT NULL ORDER BY v.force DESC LIMIT 1") \
    X(VERSION_GET, \
      "SELECT id, coalesce(bins, id), coalesce(follows, 0), unders FROM version WHERE id = ?1") \
    X(VERSION_FOLLOWS, \
      "UPDATE version SET follows = ?2 WHERE id = ?1") \
    X(VERSION_LEADS, \
      "UPDATE version SET force = (SELECT 1 + coalesce(max(force), 0) FROM version) " \
      "WHERE id = ?1") \
    X(JOURNEY_ADD, \
      "INSERT INTO journey(name) VALUES(?1) ON CONFLICT DO NOTHING") \
    X(VERSION_ADD, \
      "INSERT INTO version(journey, number, definition, created, basis, unders, bins) " \
      "SELECT j.id, 1 + coalesce(max(v.number), 0), ?2, ?3, ?4, ?5, " \
      "(SELECT coalesce(w.bins, w.id) FROM version w WHERE w.journey = j.id AND w.basis = ?4 " \
      " ORDER BY w.id LIMIT 1) " \
      "FROM journey j LEFT JOIN version v ON v.journey = j.id WHERE j.name = ?1 GROUP BY j.id " \
      "RETURNING id, number, coalesce(bins, id)") \
    X(VERSION_NEXT, \
      "SELECT id FROM version WHERE id >= ?1 ORDER BY id LIMIT 1") \
    \
    X(TOTAL_PUT, \
      "INSERT OR REPLACE INTO total(version, node, at, epoch, counts) " VALUES_OF_FIVE) \
    X(MINUTE_PUT, \
      "INSERT OR REPLACE INTO minute(version, node, at, epoch, counts) " VALUES_OF_FIVE) \
    X(HOUR_PUT, \
      "INSERT OR REPLACE INTO hour(version, node, at, epoch, counts) " VALUES_OF_FIVE) \
    X(HISTOGRAM_PUT, \
      "INSERT OR REPLACE INTO histogram(version, node, at, epoch, bins) " VALUES_OF_FIVE) \
    X(MINUTES_CUT, "DELETE FROM minute" OF_VERSION "AND at > ?3") \
    X(HOURS_CUT, "DELETE FROM hour" OF_VERSION "AND at > ?3") \
    \
    X(TOTAL_GET, \
      "SELECT at, epoch, counts FROM total" OF_VERSION) \
    X(LAST_WRITE, \
      "SELECT coalesce(max(at), 0) FROM total WHERE node = ?1") \
    X(SAMPLE_BEFORE, \
      FROM_EITHER("AND at <= ?3", NEWEST)) \
    X(SAMPLE_FIRST, \
      FROM_EITHER("", OLDEST)) \
    X(SAMPLES_AFTER, \
      "SELECT at, epoch, counts FROM minute" OF_VERSION "AND at > ?3 UNION ALL " \
      "SELECT at, epoch, counts FROM hour" OF_VERSION "AND at > ?3 ORDER BY at, epoch") \
    X(MINUTES_FROM, \
      "SELECT at, epoch, counts FROM minute" OF_VERSION "AND at >= ?3 ORDER BY at, epoch") \
    X(MINUTE_MAKE, /* as it stood then, unless there is a row */ \
      "INSERT INTO minute(version, node, at, epoch, counts) SELECT ?1, ?2, ?3, epoch, counts FROM (" \
      FROM_EITHER("AND at <= ?3", NEWEST) ") " \
      "WHERE NOT EXISTS (SELECT 1 FROM minute" OF_VERSION "AND at = ?3)") \
    X(HISTOGRAM_GET, \
      "SELECT bins FROM histogram" OF_VERSION "AND at = ?3 AND epoch = ?4") \
    X(HISTOGRAMS, \
      "SELECT bins FROM histogram" OF_VERSION "AND at >= ?3 AND at < ?4") \
    X(HISTOGRAM_FIRST, \
      "SELECT min(at) FROM histogram" OF_VERSION) \
    X(HISTOGRAM_SLOTS, \
      "SELECT at, bins FROM histogram" OF_VERSION "AND at >= ?3 ORDER BY at, epoch") \
    \
    X(MINUTES_THIN, /* of the oldest ?4 those that are the last of their hour, its end included */ \
      "INSERT OR REPLACE INTO hour(version, node, at, epoch, counts) " \
      "SELECT version, node, at, epoch, counts FROM " \
      "  (SELECT * FROM minute" OF_VERSION "AND at <= ?3 ORDER BY at, epoch LIMIT ?4) AS old " \
      "WHERE NOT EXISTS (SELECT 1 FROM minute AS m WHERE m.version = ?1 AND m.node = ?2 " \
      "  AND (m.at, m.epoch) > (old.at, old.epoch) AND m.at <= (old.at + 3599) / 3600 * 3600)") \
    X(MINUTES_FORGET, FORGET("minute", "AND at <= ?3")) \
    X(HOURS_FORGET, /* but not the last before ?3: the counters stood at it from then on */ \
      FORGET("hour", "AND at < (SELECT max(at) FROM hour" OF_VERSION "AND at <= ?3)")) \
    X(HISTOGRAMS_FORGET, FORGET("histogram", "AND at < ?3")) \
    \
    X(CHANGE_PUT, \
      "INSERT OR REPLACE INTO change(" CHANGE_COLUMNS ") " \
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") \
    X(CHANGE_DELETE, \
      "DELETE FROM change WHERE id = ?1") \
    X(CHANGES_COUNT, \
      "SELECT count(*) FROM change") \
    X(CHANGES_LIST, \
      "SELECT " CHANGE_COLUMNS " FROM change ORDER BY id LIMIT ?1") \
    \
    X(INSTANCE_STATE_PUT, \
      "INSERT OR REPLACE INTO instance_state(service, instance, up, since, seen) " VALUES_OF_FIVE) \
    X(INSTANCE_STATES_COUNT, \
      "SELECT min(count(*), ?1) FROM instance_state") \
    X(INSTANCE_STATES_LIST, \
      "SELECT service, instance, up, since, seen FROM instance_state " \
      "ORDER BY seen DESC, service, instance LIMIT ?1") \
    X(INSTANCE_STATES_FORGET, \
      "DELETE FROM instance_state WHERE (service, instance) IN " \
      "(SELECT service, instance FROM instance_state WHERE seen < ?1 ORDER BY seen LIMIT ?2)") \
    \
    X(KEPT_PEER_PUT, \
      "INSERT INTO kept_peer(url, at, said) VALUES(?1, ?2, ?3) " \
      "ON CONFLICT(url) DO UPDATE SET at = excluded.at, said = excluded.said") \
    X(KEPT_PEERS_LIST, \
      "SELECT url, at, said FROM kept_peer ORDER BY at DESC, url LIMIT ?1") \
    X(KEPT_PEERS_URLS, \
      "SELECT url FROM kept_peer ORDER BY at, url LIMIT ?1 + ?2") \
    X(KEPT_PEER_FORGET, \
      "DELETE FROM kept_peer WHERE url = ?1") \
    \
    X(DEED_PUT, \
      "INSERT OR IGNORE INTO deed(" DEED_COLUMNS ") " \
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)") \
    X(DEEDS_TRIM, \
      "DELETE FROM deed WHERE number <= (SELECT max(number) FROM deed) - ?1") \
    X(DEEDS_LIST, \
      "SELECT " DEED_COLUMNS " FROM deed WHERE number < ?1 ORDER BY number DESC LIMIT ?2") \
    X(DEEDS_FORGET, /* but not the last one, whose number is not given again */ \
      "DELETE FROM deed WHERE number IN (SELECT number FROM deed WHERE at < ?1 " \
      "AND number < (SELECT max(number) FROM deed) ORDER BY at LIMIT ?2)") \
    \
    X(KEPT_DIMENSIONS_PUT, \
      "INSERT INTO kept_dimension(process, journey, definition, until, said) " VALUES_OF_FIVE \
      "ON CONFLICT(journey, definition, process) DO UPDATE SET until = excluded.until, said = excluded.said") \
    X(KEPT_DIMENSIONS_LIST, \
      "SELECT process, journey, definition, until, said FROM kept_dimension WHERE until >= ?1 " \
      "ORDER BY until DESC, process DESC, journey, definition LIMIT ?2") \
    X(KEPT_DIMENSIONS_FORGET, \
      "DELETE FROM kept_dimension WHERE until < ?1 OR rowid NOT IN " \
      "(SELECT rowid FROM kept_dimension ORDER BY until DESC LIMIT ?2)")
/* clang-format on */

enum statement {
#define X(name, sql) SQL_##name,
    STATEMENTS(X)
#undef X
        STATEMENTS_COUNT
};

#endif
