"""Keys of published configs that are no fields of ours."""

# Keys of other models: {key: (whose, the key of ours it may be equal to)}.
OF_OTHERS = {
    "embedding_size": ("ALBERT or ELECTRA", "hidden_size"),
    "num_hidden_groups": ("ALBERT", "num_hidden_layers"),
    "inner_group_num": ("ALBERT", None),
    "generator_hidden_size": ("ELECTRA", None),
    "n_layers": ("DistilBERT", "num_hidden_layers"),
    "n_heads": ("DistilBERT", "num_attention_heads"),
    "hidden_dim": ("DistilBERT", "intermediate_size"),
    "n_layer": ("GPT", "num_hidden_layers"),
    "n_head": ("GPT", "num_attention_heads"),
    "n_embd": ("GPT", "hidden_size"),
    "d_model": ("T5, BART or XLNet", "hidden_size"),
    "relative_attention": ("DeBERTa", None),
    "use_relative_position": ("NEZHA", None),
    "max_relative_position": ("NEZHA", None),
    "rotary_value": ("RoFormer", None),
    "use_task_id": ("ERNIE", None),
    "head_ratio": ("ConvBERT", None),
    "attention_window": ("Longformer", None),
    "true_hidden_size": ("MobileBERT", "hidden_size"),
}
# Keys that published files of BERT have beside ours, which change nothing here:
# Google's, and those that transformers has written in all its versions.
PUBLISHED = frozenset(
    {
        *("model_type", *OF_OTHERS),
        *("directionality", "pooler_fc_size", "pooler_num_attention_heads"),
        *("pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"),
        *("_name_or_path", "_num_labels", "adapters", "architectures"),
        *("attn_implementation", "attn_type", "auto_map", "bad_words_ids"),
        *("begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward"),
        *("classifier_dropout", "cross_attention_hidden_size"),
        *("decoder_start_token_id", "diversity_penalty", "do_sample", "dtype"),
        *("early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id"),
        *("exponential_decay_length_penalty", "finetuning_task"),
        *(
            "forced_bos_token_id",
            "forced_eos_token_id",
            "gradient_checkpointing",
        ),
        *("id2label", "is_encoder_decoder", "label2id", "language"),
        *("length_penalty", "max_length", "min_length", "name"),
        *("no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_labels"),
        *("num_return_sequences", "output_attentions", "output_hidden_states"),
        *("output_past", "output_scores", "pad_token_id", "prefix"),
        *("problem_type", "pruned_heads", "remove_invalid_values"),
        *("repetition_penalty", "return_dict", "return_dict_in_generate"),
        *("sep_token_id", "suppress_tokens", "task_specific_params"),
        *("temperature", "tf_legacy_loss", "tie_encoder_decoder"),
        *("tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript"),
        *("transformers_version", "typical_p", "use_bfloat16", "use_cache"),
        *("xla_device",),
    }
)
