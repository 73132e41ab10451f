/** Every named component of the API. A schema that is referred to must be listed here; plugins/openapi.ts adds them to Fastify. */
import { AccountDataAnswer } from './account-data.ts'
import { Answer, ErrorAnswer, ErrorAnswerDetail, ReturnMessage } from './answer.ts'
import { CacheCallNoteAnswer, CallLogAnswer, CallLogData, CallLogsAnswer, MatchedCallLog } from './call-log.ts'
import { CallLeg, CallRecord, Duration, Instant, Party, Recording } from './call-record.ts'
import { AdditionalSubmission, Contact, ContactsAnswer, CreateContactAnswer, CrmId } from './contact.ts'
import { PlatformManifest, ServedManifest } from './manifest.ts'
import { Attachment, Conversation, ConversationEntity, Message, MessageLogAnswer } from './message-log.ts'
import { Health, ImplementedInterfaces, ReleaseNotes, ServerVersionInfo, UserInfoHash } from './metadata.ts'
import { LicenseStatus, LoginAnswer } from './session.ts'
import { SettingEntry, UserSettings, UserSettingsAnswer } from './settings.ts'
import type { TSchema } from './type.ts'

export const components: readonly TSchema[] = [
  AccountDataAnswer, AdditionalSubmission, Answer, Attachment, CacheCallNoteAnswer, CallLeg, CallLogAnswer, CallLogData, CallLogsAnswer,
  CallRecord, Contact, ContactsAnswer, Conversation, ConversationEntity, CreateContactAnswer, CrmId, Duration, ErrorAnswer, ErrorAnswerDetail,
  Health, ImplementedInterfaces, Instant, LicenseStatus, LoginAnswer, MatchedCallLog, Message, MessageLogAnswer, Party,
  PlatformManifest, Recording, ReleaseNotes, ReturnMessage, ServedManifest, ServerVersionInfo, SettingEntry, UserInfoHash,
  UserSettings, UserSettingsAnswer
]
