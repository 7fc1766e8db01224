-- Which functions the service's own role may run (after zz_grants.sql, which takes everything away first), by the file that makes
-- them; a name stands for all functions of that name. The compiler of the contract keeps this list: it refuses a function that a statement,
-- a view or a trigger runs with the rights of tpbis_api and that is not named here, and one that is named here and not run. A function
-- that only the version before still runs (it goes on answering while this one is brought in) stays for that one version, on a line of
-- its own that ends in `-- the version before`, and one of a file that db/embed.py makes on a line that says so.
DO $$
BEGIN
    EXECUTE (SELECT format('GRANT EXECUTE ON FUNCTION %s TO tpbis_api', string_agg(p.oid::regprocedure::text, ', '))
             FROM regexp_split_to_table(regexp_replace($list$
-- access.sql
region_narrowed
-- assignment.sql
assignment_is_of may_appoint_until may_appoint gate_appointment gate_appointment_days gate_create_assignment gate_assignment gate_assignment_reach
-- audit_place.sql
audit_record_key
-- audit_seal.sql
audit_seal_run
-- base.sql
rfc3339 day_of today uuidv7 refuse library_rank region_level region_contains in_reach words name_words name_vector name_query earth_point earth_distance_km
earth_box
words_vector words_query -- the version before
-- base_audit.sql
audit_setting audit_read
-- base_replication.sql
replication_self_funded replication_funding_good
-- base_text.sql
text_line text_key identifier_key
is_line is_name is_free are_lines are_free text_free -- in checks that a migration makes
-- client.sql
redirect_uri_fault text_list client_id_of gate_client gate_terms gate_client_status client_secret_first gate_client_secret gate_api_key
client_read api_key_used
-- engine.sql
claim_id
-- idempotency.sql
purge_idempotency claim_idempotency find_idempotency keep_idempotency
-- library.sql
region_now
-- library_gate.sql
gate_library gate_library_place gate_identifier gate_library_open
-- library_placement.sql
library_placement_last library_move
-- login.sql
login_attempt login_release login_remember login_purge
-- login_factor.sql
role_needs_factor user_factor_state user_factor_secret user_factor_attempt user_factor_enter user_factor_recover user_factor_set_up
user_recovery_codes_renew user_recovery_codes_keep user_factor_remove user_factor_reset oauth_grant_login
-- me.sql
me_account
-- me_can.sql
place_judged me_can
operation_place_rule -- the version before
-- oauth.sql
login_session_begin login_session_end oauth_code_issue oauth_code_redeem oauth_refresh_use oauth_refresh_revoke oauth_token_revoke
purge_oauth gate_session user_session_end
-- organization.sql
region_require period_require gate_area gate_version gate_origin gate_organization person_region gate_person person_in_reach person_contact_in_reach
gate_person_contact gate_person_place
-- participation.sql
participation_next participation_move gate_participation gate_library_about gate_participation_step gate_participation_plan
-- personal_data.sql
person_restricted_refuse person_restrict person_lift personal_data_lift_expired personal_data_ask personal_data_answer
gate_personal_data_request
-- personal_data_document.sql
personal_data_document gate_personal_data
-- personal_data_erase.sql
person_erase gate_person_erasure user_erase gate_user_erasure
-- place.sql
place_nation place_library place_own_library place_area place_certification place_village place_inside place_team place_team_work
place_team_basis place_visit team_in_reach
-- problem_detail.sql
problem_detail
-- program.sql
program_organizations published_figure_json program_figures phase_figures phase_targets program_organizations_set phase_targets_set
published_figures_set gate_nation gate_program gate_phase
-- program_progress.sql
phase_recorded phase_progress
-- rate.sql
settle_rates purge_rates
-- reference.sql
may_know_person may_refer check_references
-- replication.sql
gate_replication gate_replication_new gate_replication_transition
-- replication_transition.sql
replication_next replication_policy_on replication_library replication_facilitators_on replication_managers_on replication_missing_active
replication_missing replication_authority replication_transitions refuse_replication_stay
-- team.sql
team_limit_on team_policy_begin
-- team_gate.sql
gate_team gate_team_place gate_team_row gate_team_past gate_precision gate_member_contact_reach gate_member_contact
-- team_member.sql
team_organization team_substitute team_position_change team_coordinate
-- problem_text.sql
problem_text -- made by db/embed.py
-- team_view.sql
team_standing team_coordinator_on
-- team_work.sql
team_meeting_organizations
-- training.sql
training_participant_remove facilitators_on gate_training gate_training_participant gate_certification facilitator_villages
-- user.sql
users_in_sight user_charge_in_reach user_in_sight user_is_own user_contact_in_sight username_shown actor_shown user_below gate_user gate_other_account gate_user_own gate_user_delivery gate_user_person gate_user_read user_disable user_enable
-- user_link.sql
user_link_by_mail user_link_make user_link_shown user_link_mail user_link_sent user_link_failed user_link_open user_link_use user_password_change
-- user_mail.sql
user_mail_due user_mail_sent user_mail_failed purge_mail
-- visit.sql
gate_visit_place gate_visit
$list$, '--[^\n]*', '', 'g'), '\s+') name JOIN pg_proc p ON p.proname = name AND p.pronamespace = 'public'::regnamespace);
END
$$;
